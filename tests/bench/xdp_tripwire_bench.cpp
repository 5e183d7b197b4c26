// What the tripwire of XDP costs, and what of its events is lost; see xdp.bench.sh.
//
//   xdp_tripwire_bench PATHS_OBJECT
//
// One line per figure: name, value, unit.
#include <net/if.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "enforce/xdp_enforcer.hpp"
#include "source/ring_buffer.hpp"
#include "unit/enforce/frames.hpp"
#include "xdp_paths.hpp"

namespace {

using namespace palang;
using namespace palang::bench;
using testing::Frame;

std::unique_ptr<XdpEnforcer> gatekeeper() {
  return must(XdpEnforcer::open(must(XdpProgram::load({}), "load"), {}), "open");
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) die("run", command);  // NOLINT: fixed texts
}

uint64_t counted(const XdpEnforcer& enforcer, palang_verdict verdict) {
  return must(enforcer.counters(), "counters")[verdict];
}

struct Ran {
  uint32_t result = 0;
  std::string frame;
};
Ran run_program(const XdpEnforcer& enforcer, const std::string& frame, uint32_t times = 1) {
  Ran ran{0, std::string(frame.size() + 256, '\0')};
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.data_out = ran.frame.data();
  options.data_size_out = static_cast<uint32_t>(ran.frame.size());
  options.repeat = static_cast<int>(times);
  if (bpf_prog_test_run_opts(enforcer.program().xdp(), &options) != 0) die("run", "the program");
  ran.result = options.retval;
  ran.frame.resize(options.data_size_out);
  return ran;
}

// Which packet of a scanner is the first that is dropped.
void scan() {
  const auto enforcer = gatekeeper();
  must(enforcer->watch({.tripwire = true, .after = 2}), "watch");
  std::vector<double> first;
  for (int scanner = 1; scanner <= 100; ++scanner) {
    uint16_t port = 1;
    const std::string source = "198.18." + std::to_string(scanner) + ".9";
    while (port < 50 && run_program(*enforcer, Frame{.from = source, .port = port}.bytes()).result == XDP_PASS) ++port;
    first.push_back(port);
  }
  report("scanner/first packet that is dropped, median", median(first), "");
  report("scanner/first packet that is dropped, at worst", *std::ranges::max_element(first), "");
}

// Every packet from a forged source to a closed port, which it tries twice so that some are banned.
std::vector<uint32_t> forged() {
  std::vector<uint32_t> sources(most_sources);
  for (uint32_t i = 0; i < sources.size(); ++i) sources[i] = 0x0b000000U + scattered(i / 2) % 0x70000000U;
  return sources;
}

// The budgets of a second hold for 100,000 packets; here as many go through as the machine can do.
void set_budgets(XdpEnforcer& enforcer, double per_second) {
  XdpWatch watch{.tripwire = true};
  watch.trips_per_second = static_cast<uint32_t>(per_second * watch.trips_per_second / 100'000);
  watch.answers_per_second = static_cast<uint32_t>(per_second * watch.answers_per_second / 100'000);
  watch.bans_per_second = static_cast<uint32_t>(per_second * watch.bans_per_second / 100'000);
  watch.own = std::vector<Address>{Address::v4(0xc0000201)};
  must(enforcer.watch(watch), "watch");
}

// Frames that arrive on one end of a veth, what passes going up the stack, in the proportions of 100,000 a second.
void flood(const char* paths_file) {
  const auto enforcer = gatekeeper();
  Paths paths(paths_file, enforcer->program());
  paths.use(forged());
  shell(
      "ip link set lo up && ip link add bench0 address 02:00:00:00:00:01 type veth peer name bench1 && ip addr add "
      "192.0.2.1/24 dev bench0 && ip link set bench0 up && ip link set bench1 up && ip route add default via 192.0.2.2 "
      "&& "
      "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev bench0 && sysctl -qw net.ipv4.conf.all.rp_filter=0 "
      "net.ipv4.conf.bench0.rp_filter=0");
  const uint32_t interface = if_nametoindex("bench0");
  constexpr int runs_a_round = 32, few_rounds = 3;  // each lasts many times as long as a second's budgets
  std::vector<double> ours, dropped, answered;
  double per_second = 2e6;
  uint64_t trips = 0, passed = counted(*enforcer, PALANG_PASS), flooded = counted(*enforcer, PALANG_DROP_FLOOD);
  for (int round = -1; round < few_rounds; ++round) {
    set_budgets(*enforcer, per_second);
    const auto start = Steady::now();
    double sum = 0, plain = 0;
    for (int run = 0; run < runs_a_round; ++run) sum += paths.live_nanoseconds("gate", interface);
    per_second = double{packets_a_round} * runs_a_round / seconds_since(start);
    for (int run = 0; run < rounds; ++run) plain += paths.live_nanoseconds("empty", interface);
    if (round < 0) {
      trips = counted(*enforcer, PALANG_SAW_TRIP);
      passed = counted(*enforcer, PALANG_PASS), flooded = counted(*enforcer, PALANG_DROP_FLOOD);
      continue;
    }
    ours.push_back(sum / runs_a_round);
    dropped.push_back(plain / rounds);
    answered.push_back(paths.live_nanoseconds("pass", interface));
  }
  passed = counted(*enforcer, PALANG_PASS) - passed, flooded = counted(*enforcer, PALANG_DROP_FLOOD) - flooded;
  report("flood, live/gate", median(ours), "ns");
  report("flood, live/dropped at once", median(dropped), "ns");
  report("flood, live/all answered by the stack", median(answered), "ns");
  report(
      "flood, live/part that is counted",
      100.0 * static_cast<double>(counted(*enforcer, PALANG_SAW_TRIP) - trips) / static_cast<double>(passed + flooded),
      "%");
  report("flood, live/part that passed", 100.0 * static_cast<double>(passed) / static_cast<double>(passed + flooded),
         "%");
  report("flood, live/bans of the kernel in all rounds", static_cast<double>(counted(*enforcer, PALANG_SAW_TRIP_BAN)),
         "");
}

// Proofs at a decoy, as fast as the kernel can make them, each an event.
void events() {
  const auto enforcer = gatekeeper();
  if (!enforcer->program().bakes_cookies()) return;
  XdpWatch watch{.tripwire = true, .decoys_per_second = UINT32_MAX};
  watch.decoys.add(23);
  must(enforcer->watch(watch), "watch");
  const auto answer = run_program(*enforcer, Frame{.port = 23, .sequence = 1000}.bytes());
  if (answer.result != XDP_TX) die("ask", "a decoy");
  uint32_t cookie = 0;
  for (size_t i = 38; i < 42; ++i) cookie = cookie << 8 | static_cast<uint8_t>(answer.frame[i]);
  const std::string proof =
      Frame{.port = 23, .flags = testing::ack, .sequence = 1001, .acknowledges = cookie + 1}.bytes();
  auto buffer = must(RingBuffer::open(enforcer->program().map("events"), [](uint64_t) { return WallTime{}; }), "open");
  std::atomic<bool> done = false;
  uint64_t read = 0;
  std::thread reader([&] {
    Source::Batch batch;
    for (bool last = false; !last || batch.more;) {
      last = done;
      must(buffer->read(batch), "read");
      read += batch.events.size();
    }
  });
  constexpr uint32_t offered = 5'000'000;
  const auto start = Steady::now();
  run_program(*enforcer, proof, offered);
  const double seconds = seconds_since(start);
  done = true;
  reader.join();
  const uint64_t made = counted(*enforcer, PALANG_SAW_PROOF), lost = counted(*enforcer, PALANG_SAW_LOST_EVENT);
  if (made != offered) die("prove", std::to_string(made) + " proofs were taken");
  report("events/offered", static_cast<double>(offered) / seconds, "events/s");
  report("events/read", static_cast<double>(read), "");
  report("events/lost and counted", static_cast<double>(lost), "");
  report("events/lost uncounted", static_cast<double>(made) - static_cast<double>(read) - static_cast<double>(lost),
         "");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) die("usage", "xdp_tripwire_bench PATHS_OBJECT");
  if (::unshare(CLONE_NEWNET) != 0) die("unshare", "a network namespace");
  scan();
  events();
  flood(argv[1]);
}
