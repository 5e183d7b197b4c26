// Measures the enforcer against the running kernel, in a network namespace of its own. Needs root.
//   g++ -std=c++23 -O2 -Isrc tests/bench/enforce_bench.cpp src/enforce/*.cpp src/{model,net,base}/*.cpp -lmnl -lfmt
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "enforce/ipset_enforcer.hpp"
#include "enforce/nft_enforcer.hpp"
#include "enforce/nft_monitor.hpp"

namespace {

using namespace palang;
using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (result) {
    if constexpr (std::is_void_v<T>)
      return;
    else
      return std::move(*result);
  }
  std::fprintf(stderr, "%s: %s\n", what, result.error().text.c_str());
  std::exit(1);
}

Ban ban_number(uint32_t i, WallTime now) {
  // Three of four are single addresses, one is a /24, in scattered order as attackers are.
  const uint32_t scattered = i * 2654435761U;
  if (i % 4 == 0) return {Prefix::of_length(Address::v4(i << 8 | 0x4000'0000), 24), Scope::quiet, now + one_day};
  return {Prefix::of(Address::v4(scattered)), Scope::quiet, now + one_day * 3};
}

Intended intended_of(uint32_t count, WallTime now) {
  Intended intended;
  intended.bans.emplace();
  intended.bans->reserve(count);
  for (uint32_t i = 0; i < count; ++i) intended.bans->push_back(ban_number(i, now));
  intended.allowed.push_back({Prefix::of_length(Address::v4(0xc0000200), 24)});
  intended.open.tcp.add(22);
  return intended;
}

Change change_of(const Ban& ban, ChangeKind kind, WallTime now) {
  Change change;
  change.kind = kind;
  change.at = now;
  change.decision.prefix = ban.prefix;
  change.decision.scope = ban.scope;
  change.decision.until = ban.until;
  return change;
}

void report(const std::string& name, double value, const char* unit) {
  std::printf("%-64s %10.3f %s\n", name.c_str(), value, unit);
  std::fflush(stdout);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure_rebuild(Enforcer& enforcer, uint32_t count) {
  const WallTime now = SystemClock{}.now();
  const Intended intended = intended_of(count, now);
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) {
    must(enforcer.lift_everything({}), "lift");
    const auto start = Steady::now();
    must(enforcer.reconcile(intended, Enforcer::Extra::remove, now), "rebuild");
    times.push_back(seconds_since(start) * 1e3);
  }
  report("rebuild from nothing, " + std::to_string(count) + " bans", median(times), "ms");
  const auto start = Steady::now();
  const auto second = must(enforcer.reconcile(intended, Enforcer::Extra::remove, now), "reconcile");
  report("  reconcile again", seconds_since(start) * 1e3, "ms");
  if (second.added + second.removed + second.refreshed != 0) std::printf("  NOT IDEMPOTENT\n");
  Intended standing = intended;
  standing.bans.reset();
  const auto start_standing = Steady::now();
  must(enforcer.reconcile(standing, Enforcer::Extra::remove, now), "reconcile");
  report("  reconcile without bans", seconds_since(start_standing) * 1e3, "ms");
  if (count > 200'000) return;
  const auto start_held = Steady::now();
  must(enforcer.held(now), "held");
  report("  held()", seconds_since(start_held) * 1e3, "ms");
}

void measure_single(Enforcer& enforcer) {
  constexpr int rounds = 2000;
  const WallTime now = SystemClock{}.now();
  std::vector<double> wall;
  const double cpu = cpu_seconds();
  for (uint32_t i = 0; i < rounds; ++i) {
    const Change change = change_of(ban_number(10'000'000 + i, now), ChangeKind::added, now);
    const auto start = Steady::now();
    must(enforcer.apply({&change, 1}, now), "apply");
    wall.push_back(seconds_since(start) * 1e6);
  }
  report("  one more ban, CPU", (cpu_seconds() - cpu) / rounds * 1e6, "us");
  report("  one more ban, wall, median", median(wall), "us");
  std::ranges::sort(wall);
  report("  one more ban, wall, p99", wall[wall.size() * 99 / 100], "us");
  std::vector<Ban> asked;
  for (uint32_t i = 0; i < 10'000; ++i) asked.push_back(ban_number(i, now));
  const double before = cpu_seconds();
  const auto hits = must(enforcer.hits(asked), "hits");
  report("  hits(), each of " + std::to_string(hits.size()), (cpu_seconds() - before) / 10'000 * 1e6, "us");
}

void measure_ipset() {
  auto enforcer = must(IpsetEnforcer::open(), "open");
  std::printf("ipset and iptables (%s):\n", enforcer->uses_legacy_iptables() ? "legacy" : "by nf_tables");
  for (const uint32_t count : {1'000U, 100'000U}) measure_rebuild(*enforcer, count);
  measure_single(*enforcer);
  const auto start = Steady::now();
  must(enforcer->look(0), "look");
  report("  a look at what others changed, rules included", seconds_since(start) * 1e3, "ms");
  must(enforcer->lift_everything({}), "lift");
}

}  // namespace

int main(int argc, char** argv) {
  if (unshare(CLONE_NEWNET) != 0) {
    std::perror("unshare a network namespace");
    return 1;
  }
  if (argc > 1 && std::string_view(argv[1]) == "ipset") return measure_ipset(), 0;
  auto enforcer = must(NftEnforcer::open(), "open");
  for (const uint32_t count : {1'000U, 10'000U, 16'384U, 100'000U}) measure_rebuild(*enforcer, count);
  measure_single(*enforcer);
  {
    const uint32_t own[] = {enforcer->port_id()};
    auto monitor = must(NftMonitor::open(own), "monitor");
    std::printf("with a monitor that hears of it:\n");
    measure_rebuild(*enforcer, 100'000);
    measure_single(*enforcer);
    report("  what it told (0: nothing)", static_cast<double>(must(monitor.drain(), "drain")), "");
  }
  const uint32_t many = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 1'000'000;
  const WallTime now = SystemClock{}.now();
  const Intended intended = intended_of(many, now);
  must(enforcer->lift_everything({}), "lift");
  double cpu = cpu_seconds();
  auto start = Steady::now();
  must(enforcer->reconcile(intended, Enforcer::Extra::remove, now), "load");
  report("load of " + std::to_string(many) + ", wall", seconds_since(start), "s");
  report("  CPU", cpu_seconds() - cpu, "s");
  start = Steady::now();
  must(enforcer->reconcile(intended, Enforcer::Extra::remove, now), "load again");
  report("  again, on top of itself", seconds_since(start), "s");
  measure_single(*enforcer);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  report("resident at most", static_cast<double>(usage.ru_maxrss) / 1024, "MiB");
  must(enforcer->lift_everything({}), "lift");
}
