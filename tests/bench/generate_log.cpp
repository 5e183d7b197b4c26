// Writes a firewall log as CSF would: generate_log LINES SOURCES [SEED]. The same arguments give the same bytes.
// Sources come back with a skewed frequency, as scanners do; about 270 bytes a line, a line every 0.4 s of log time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>

namespace {

struct Packet {
  uint32_t source;
  unsigned port;
  bool udp;
};

void write_line(uint64_t number, const Packet& packet) {
  const uint64_t micros = 1'736'640'000'000'000 + number * 400'000;
  const auto seconds = static_cast<std::time_t>(micros / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
  std::printf(
      "%s.%06u+00:00 web1 kernel: Firewall: *%s_IN Blocked* IN=eth0 OUT= "
      "MAC=52:54:00:12:34:56:fe:54:00:12:34:57:08:00 SRC=%u.%u.%u.%u DST=198.51.100.6 LEN=52 TOS=0x14 PREC=0x00 TTL=53 "
      "ID=%u DF PROTO=%s SPT=%u DPT=%u ",
      stamp, static_cast<unsigned>(micros % 1'000'000), packet.udp ? "UDP" : "TCP", packet.source >> 24,
      packet.source >> 16 & 255, packet.source >> 8 & 255, packet.source & 255,
      static_cast<unsigned>(number * 7919 % 65536), packet.udp ? "UDP" : "TCP",
      1024 + static_cast<unsigned>(number * 104729 % 64000), packet.port);
  std::puts(packet.udp ? "LEN=32" : "WINDOW=61690 RES=0x00 SYN URGP=0");
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t lines = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const uint64_t sources = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100'000;
  std::mt19937_64 random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  for (uint64_t number = 0; number < lines; ++number) {
    // Each source once, the rest by the product of two uniforms: few knock often, many seldom.
    const uint64_t a = random() % sources;
    const uint64_t b = random() % sources;
    const uint64_t who = number % (lines / sources) == 0 ? number / (lines / sources) : a * b / sources;
    const auto source = static_cast<uint32_t>((who * 2'654'435'761 % 3'690'987'520) + 16'777'216);
    write_line(number, {source, 1 + static_cast<unsigned>(random() % 10'000), random() % 5 == 0});
  }
}
