// Any bytes as a frame, through the real program in the kernel: it passes or is dropped, is dropped only if a banned
// source stands in it, is left as it was, and is never answered with more than it had. Needs root; does nothing
// without.

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "enforce/xdp_enforcer.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

// 198.51.100.0/24 and 2001:db8::/32 are banned, some addresses twice; port 23 is a decoy.
std::unique_ptr<XdpEnforcer> gatekeeper() {
  if (::geteuid() != 0) return nullptr;
  auto program = XdpProgram::load({});
  if (!program) {
    std::fprintf(stderr, "skipped: %s\n", program.error().text.c_str());
    return nullptr;
  }
  auto enforcer = XdpEnforcer::open(std::move(*program), {});
  if (!enforcer) return nullptr;
  const WallTime now = SystemClock{}.now();
  Intended intended;
  intended.bans = {{Prefix::of_length(Address::v4(0xc6336400), 24), Scope::quiet, now + one_day, 1},
                   {Prefix::of(Address::v4(0xc6336407)), Scope::full, now + one_day},
                   {Prefix::of_length(Address::from_words(0x20010db8ULL << 32, 0), 32), Scope::quiet, now + one_day, 1},
                   {Prefix::of(Address::from_words(0x20010db8ULL << 32, 7)), Scope::full, now + one_day}};
  intended.open.tcp.add(80);
  require((*enforcer)->reconcile(intended, Enforcer::Extra::remove, now).has_value());
  XdpWatch watch;
  watch.tripwire = true;
  watch.after = 60'000;                 // no ban of its own: what is dropped stays known
  watch.trips_per_second = UINT32_MAX;  // or a fuzzer is a flood, whose packets are dropped
  watch.decoys.add(23);
  require((*enforcer)->watch(watch).has_value());
  return std::move(*enforcer);
}

uint32_t big_endian(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// Read independently of the program. Decoys answer for port 23, or drop what is no proof.
bool may_be_stopped(std::string_view frame) {
  size_t at = 12;
  uint32_t type = 0;
  for (int tags = 0;; ++tags, at += 4) {
    if (frame.size() < at + 2) return false;
    type = big_endian(frame, at, 2);
    if (type != 0x8100 && type != 0x88a8) break;
    if (tags == 2) return false;
  }
  at += 2;
  if (type == 0x0800 && frame.size() >= at + 20) {
    const size_t transport = at + (static_cast<size_t>(frame[at]) & 15) * 4;
    const bool decoy =
        frame[at + 9] == 6 && frame.size() >= transport + 20 && big_endian(frame, transport + 2, 2) == 23;
    return big_endian(frame, at + 12, 3) == 0xc63364 || decoy;
  }
  if (type != 0x86dd || frame.size() < at + 40) return false;
  const bool decoy = frame[at + 6] == 6 && frame.size() >= at + 60 && big_endian(frame, at + 42, 2) == 23;
  return big_endian(frame, at + 8, 4) == 0x20010db8 || decoy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto enforcer = gatekeeper();
  constexpr size_t shortest = 14, longest = 3000;  // what the kernel takes for a frame
  if (!enforcer || size < shortest || size > longest) return 0;
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  std::string out(size + 256, '\0');
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = data;
  options.data_size_in = static_cast<uint32_t>(size);
  options.data_out = out.data();
  options.data_size_out = static_cast<uint32_t>(out.size());
  options.repeat = 1;
  require(bpf_prog_test_run_opts(enforcer->program().xdp(), &options) == 0);
  out.resize(options.data_size_out);
  require(options.retval == XDP_PASS || options.retval == XDP_DROP || options.retval == XDP_TX);
  require(options.retval == XDP_PASS || may_be_stopped(frame));
  require(options.retval == XDP_TX ? out.size() <= size : out == frame);
  return 0;
}
