// What a packet, a ban and two million bans cost in XDP, against the ways there are otherwise; see xdp.bench.sh.
//
//   xdp_bench PATHS_OBJECT
//
// One line per figure: name, value, unit. The ratios and goals are made of them by xdp_report.py.
#include <net/if.h>
#include <sched.h>

#include <fstream>
#include <map>

#include "enforce/xdp_enforcer.hpp"
#include "xdp_paths.hpp"

namespace {

using namespace palang;
using namespace palang::bench;

// Of all maps of the program: those it is loaded with, as the kernel says, and the table beside them.
double map_megabytes(const XdpEnforcer& enforcer) {
  double sum = static_cast<double>(enforcer.table().bytes()) - 2.0 * PALANG_GATE4_BYTES - PALANG_GATE6_BYTES;
  for (const char* const name : {"settings", "gate4", "wide4", "gate6", "ports", "bans4", "nets4", "nets6", "fresh",
                                 "allow", "allow_hint", "own", "tracked", "budget", "verdicts", "events", "pace"}) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(enforcer.program().map(name)));
    std::string key;
    double bytes = -1;
    while (info >> key)
      if (key == "memlock:") info >> bytes;
    if (bytes < 0) die("no memory is told for the map", name);  // an empty trie takes none
    sum += bytes;
  }
  return sum / 1e6;
}

void fill_others(const Paths& paths, uint32_t from, uint32_t to) {
  const uint64_t never = UINT64_MAX;
  for (uint32_t i = from; i < to; ++i) {
    const uint32_t address = scattered(i);
    bpf_map_update_elem(paths.map("plain_hash"), &address, &never, BPF_ANY);
    const uint32_t key[2] = {32, __builtin_bswap32(address)};
    bpf_map_update_elem(paths.map("lpm"), key, &never, BPF_ANY);
  }
}

// Rounds of the ways in turn, so that a disturbance meets them all.
void compare(Paths& paths, const std::string& situation, const std::vector<const char*>& ways, bool banned) {
  std::map<std::string, std::vector<double>> times;
  for (int round = -1; round < rounds; ++round) {
    for (const char* const way : ways) {
      const bool judges = std::string(way) != "empty" && std::string(way) != "parse_only";
      const double time = paths.nanoseconds(way, judges && !banned ? XDP_PASS : XDP_DROP);
      if (round >= 0) times[way].push_back(time);
    }
  }
  for (const char* const way : ways) report(situation + "/" + way, median(times[way]), "ns");
}

std::vector<Ban> bans_up_to(uint32_t count, WallTime now) {
  std::vector<Ban> bans;
  bans.reserve(count);
  for (uint32_t i = 0; i < count; ++i)
    bans.push_back({Prefix::of(Address::v4(scattered(i))), Scope::full, now + one_day * 3});
  return bans;
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) die("run", command);  // NOLINT: fixed texts
}

void write_lines(const char* file, uint32_t count, const std::string& before, const std::string& each,
                 const std::string& after) {
  std::ofstream out(file);
  out << before;
  for (uint32_t i = 0; i < count; ++i) out << each << Address::v4(scattered(i)).text() << (each.empty() ? ",\n" : "\n");
  out << after;
}

// Banned packets that arrive on one end of a veth, in a namespace of their own, dropped by each way in turn.
void live_at(Paths& paths, uint32_t bans) {
  std::mt19937 random(11);
  paths.use(pick(most_sources, 0, bans, random));
  shell(
      "ip link add bench0 address 02:00:00:00:00:01 type veth peer name bench1 && ip addr add 192.0.2.1/24 dev bench0 "
      "&& "
      "ip link set bench0 up && ip link set bench1 up && sysctl -qw net.ipv4.conf.all.rp_filter=0 "
      "net.ipv4.conf.bench0.rp_filter=0");
  const uint32_t interface = if_nametoindex("bench0");
  std::map<std::string, std::vector<double>> times;
  const auto measure = [&](const std::string& name, const char* way) {
    (void)paths.live_nanoseconds(way, interface);
    for (int round = 0; round < rounds; ++round) times[name].push_back(paths.live_nanoseconds(way, interface));
  };
  measure("XDP", "gate");
  measure("dropped at once", "empty");
  write_lines(
      "/tmp/palang_bench.nft", bans, "table ip bench {\n set s { type ipv4_addr; size 4194304; elements = {\n", "",
      "} }\n chain c { type filter hook prerouting priority raw; policy accept; ip saddr @s counter drop; }\n}\n");
  shell("nft -f /tmp/palang_bench.nft");
  measure("nft, hash set in prerouting", "pass");
  measure("XDP", "gate");
  shell("nft list chain ip bench c | grep -q 'packets [1-9]'");
  shell("nft delete table ip bench");
  write_lines("/tmp/palang_bench.nft", bans, "create bench hash:ip maxelem 4194304 hashsize 1048576\n", "add bench ",
              "");
  shell("ipset restore -f /tmp/palang_bench.nft");
  shell("iptables -A INPUT -m set --match-set bench src -j DROP");
  measure("ipset through iptables in input", "pass");
  measure("XDP", "gate");
  shell("iptables -nvL INPUT | tail -1 | grep -q '[1-9].*DROP'");
  shell("iptables -F INPUT && ipset destroy bench; rm -f /tmp/palang_bench.nft; ip link del bench0");
  for (const auto& [name, values] : times) report(std::to_string(bans) + "/live, banned/" + name, median(values), "ns");
}

void packets_at(Paths& paths, uint32_t bans) {
  std::mt19937 random(7);
  const std::string at = std::to_string(bans);
  std::vector<const char*> all{"empty", "parse_only", "gate", "hash", "trie"};
  if (std::getenv("PALANG_BENCH_BRIEF") != nullptr) all.resize(3);
  constexpr uint32_t strangers = 0x8000'0000, many = 1U << 30;
  paths.use(pick(64, strangers, many, random));
  compare(paths, at + "/stranger, hot", all, false);
  paths.use(pick(most_sources, strangers, many, random));
  compare(paths, at + "/stranger, random", all, false);
  if (bans == 0) return;
  paths.use(pick(64, 0, bans, random));
  compare(paths, at + "/banned, hot", all, true);
  paths.use(pick(most_sources, 0, bans, random));
  compare(paths, at + "/banned, random", all, true);
}

Change change_of(uint32_t number, ChangeKind kind, WallTime now) {
  Change change;
  change.kind = kind;
  change.decision.prefix = Prefix::of(Address::v4(scattered(number)));
  change.decision.until = now + one_day;
  return change;
}

// In small portions: a median over these is not that of whatever else runs here.
double apply_each(XdpEnforcer& enforcer, ChangeKind kind, WallTime now) {
  constexpr uint32_t portions = 200, portion = 100;
  std::vector<double> times;
  for (uint32_t at = 0; at < portions; ++at) {
    const auto start = Steady::now();
    for (uint32_t i = 0; i < portion; ++i) {
      const Change change = change_of(0x7000'0000 + at * portion + i, kind, now);
      must(enforcer.apply({&change, 1}, now), "apply");
    }
    times.push_back(seconds_since(start) / portion * 1e9);
  }
  return median(times);
}

double apply_at_once(XdpEnforcer& enforcer, ChangeKind kind, WallTime now) {
  constexpr uint32_t many = 20'000;
  std::vector<Change> changes;
  for (uint32_t i = 0; i < many; ++i) changes.push_back(change_of(0x7000'0000 + i, kind, now));
  const auto start = Steady::now();
  must(enforcer.apply(changes, now), "apply");
  return seconds_since(start) / many * 1e9;
}

void changes_at(XdpEnforcer& enforcer, uint32_t bans, WallTime now) {
  std::vector<double> adds, removals, bulk;
  for (int round = 0; round < rounds; ++round) {
    adds.push_back(apply_each(enforcer, ChangeKind::added, now));
    removals.push_back(apply_each(enforcer, ChangeKind::lifted, now));
    bulk.push_back(apply_at_once(enforcer, ChangeKind::added, now));
    (void)apply_at_once(enforcer, ChangeKind::lifted, now);
  }
  report(std::to_string(bans) + "/one more, a call each", median(adds), "ns");
  report(std::to_string(bans) + "/one less, a call each", median(removals), "ns");
  report(std::to_string(bans) + "/one more, of many", median(bulk), "ns");
}

void load_at(XdpEnforcer& enforcer, uint32_t bans, WallTime now) {
  Intended intended;
  intended.bans = bans_up_to(bans, now);
  std::vector<double> loads, again, starts;
  for (int round = 0; round < 3; ++round) {
    must(enforcer.lift_everything({}), "lift");
    auto start = Steady::now();
    must(enforcer.reconcile(intended, Enforcer::Extra::remove, now), "load");
    loads.push_back(seconds_since(start));
    start = Steady::now();
    const auto second = must(enforcer.reconcile(intended, Enforcer::Extra::remove, now), "load again");
    again.push_back(seconds_since(start));
    if (second.added + second.removed + second.refreshed != 0) die("reconcile", "twice is not once");
    start = Steady::now();
    must(XdpTable::open(enforcer.program()), "open");
    starts.push_back(seconds_since(start));
  }
  report(std::to_string(bans) + "/load", median(loads), "s");
  report(std::to_string(bans) + "/reconcile once more", median(again), "s");
  report(std::to_string(bans) + "/open what is there (restart)", median(starts), "s");
  report(std::to_string(bans) + "/table", static_cast<double>(enforcer.table().bytes()) / 1e6, "MB");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) die("usage", "xdp_bench PATHS_OBJECT");
  if (::unshare(CLONE_NEWNET) != 0) die("unshare", "a network namespace");
  const WallTime now = SystemClock{}.now();
  auto program = must(XdpProgram::load({}), "load");
  auto enforcer = must(XdpEnforcer::open(std::move(program), {}), "open");
  report("0/all maps", map_megabytes(*enforcer), "MB");
  Paths paths(argv[1], enforcer->program());
  uint32_t filled = 0;
  const bool brief = std::getenv("PALANG_BENCH_BRIEF") != nullptr;
  for (const uint32_t bans :
       brief ? std::vector<uint32_t>{2'000'000} : std::vector<uint32_t>{0, 100'000, 1'000'000, 2'000'000}) {
    load_at(*enforcer, bans, now);
    report(std::to_string(bans) + "/all maps", map_megabytes(*enforcer), "MB");
    changes_at(*enforcer, bans, now);
    if (bans == 1'000'000) continue;
    if (!brief) fill_others(paths, filled, bans);
    filled = bans;
    packets_at(paths, bans);
    if (bans > 0 && !brief) live_at(paths, bans);
  }
}
