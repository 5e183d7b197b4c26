#pragma once

// What the benchmarks of XDP share: figures, and the ways of xdp_paths.bpf.c with sources that change per packet.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "enforce/xdp_program.hpp"

namespace palang::bench {

using Steady = std::chrono::steady_clock;

inline constexpr int rounds = 7;
inline constexpr uint32_t packets_a_round = 1'000'000;
inline constexpr size_t most_sources = size_t{1} << 22;

inline void die(const char* what, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", what, why.c_str());
  std::exit(1);
}

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) die(what, result.error().text);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline void report(const std::string& name, double value, const char* unit) {
  std::printf("%s\t%.4g\t%s\n", name.c_str(), value, unit);
  std::fflush(stdout);
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

inline double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

inline uint16_t folded(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return __builtin_bswap16(static_cast<uint16_t>(~sum));
}
// Of the two headers in Paths::nanoseconds, and what the program writes into them for this source.
inline uint64_t written_for(uint32_t source) {
  const uint32_t addresses = (source >> 16) + (source & 0xffff) + 0xc000 + 0x0201;
  const uint64_t network = folded(addresses + 0x4500 + 40 + 7 + 0x4006);
  const uint64_t transport = folded(addresses + 6 + 20 + 0x9c00 + 22 + 0x5002);
  return transport << 48 | network << 32 | __builtin_bswap32(source);
}

// The ways of xdp_paths.bpf.c, over the very maps of the enforcer.
class Paths {
 public:
  Paths(const char* file, const XdpProgram& program) : object_(bpf_object__open_file(file, nullptr)) {
    if (object_ == nullptr) die("open", file);
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_) {
      const int shared = program.map(bpf_map__name(map));
      if (shared >= 0 && !bpf_map__is_internal(map)) bpf_map__reuse_fd(map, shared);
    }
    if (bpf_object__load(object_) != 0) die("load", file);
    sources_ = memory<uint64_t>("sources", most_sources * sizeof(uint64_t));
    turn_ = memory<uint32_t>("turns", 8);
  }
  // 2^n sources, each one's address in host order.
  void use(const std::vector<uint32_t>& sources) {
    for (size_t i = 0; i < sources.size(); ++i) sources_[i] = written_for(sources[i]);
    turn_[1] = static_cast<uint32_t>(sources.size() - 1);
  }
  // As `nanoseconds`, but the frames arrive on a real interface, and what passes goes up the stack.
  double live_nanoseconds(const char* name, uint32_t interface) {
    live_on_ = interface;
    const double time = nanoseconds(name, 0);
    live_on_ = 0;
    return time;
  }
  double nanoseconds(const char* name, uint32_t expected) {
    unsigned char frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 7, 0, 0, 64, 6};
    frame[30] = 192, frame[32] = 2, frame[33] = 1;
    frame[34] = 0x9c, frame[36] = 0, frame[37] = 22, frame[46] = 0x50, frame[47] = 2;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame;
    options.data_size_in = 54;
    options.repeat = packets_a_round;
    xdp_md arrives{};
    arrives.data_end = options.data_size_in;
    arrives.ingress_ifindex = live_on_;
    if (live_on_ != 0) {
      options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
      options.ctx_in = &arrives;
      options.ctx_size_in = sizeof arrives;
    }
    const int fd = bpf_program__fd(bpf_object__find_program_by_name(object_, name));
    if (bpf_prog_test_run_opts(fd, &options) != 0) die("run", name);
    if (live_on_ == 0 && options.retval != expected)
      die(name, "another verdict than expected: " + std::to_string(options.retval));
    return options.duration;
  }
  [[nodiscard]] int map(const char* name) const { return bpf_object__find_map_fd_by_name(object_, name); }

 private:
  template <typename T>
  T* memory(const char* name, size_t bytes) const {
    void* const start =
        ::mmap(nullptr, std::max<size_t>(bytes, 4096), PROT_READ | PROT_WRITE, MAP_SHARED, map(name), 0);
    if (start == MAP_FAILED) die("map", name);
    return static_cast<T*>(start);
  }
  bpf_object* object_;
  uint64_t* sources_ = nullptr;
  uint32_t* turn_ = nullptr;
  uint32_t live_on_ = 0;
};

inline uint32_t scattered(uint32_t i) {
  uint32_t x = i * 2654435761U + 12345;  // a permutation: all distinct
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  return x;
}

inline std::vector<uint32_t> pick(size_t count, uint32_t from, uint32_t among, std::mt19937& random) {
  std::vector<uint32_t> sources(count);
  for (uint32_t& source : sources) source = scattered(from + static_cast<uint32_t>(random() % among));
  return sources;
}

}  // namespace palang::bench
