// A packet, whatever stands in it: nothing is read behind its bytes, and it is judged like the line about it.
// The first byte chooses the interfaces and how much of the rest is the link's header.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "parse/packet.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

constexpr WallTime noon = std::chrono::sys_days{std::chrono::year{2025} / 1 / 12};

void check_event(const Event& event, const RawPacket& raw) {
  require(event.source.is_unicast());
  require(event.proof == Proof::forgeable);
  require(event.at == raw.at && event.line.empty());
  require(event.protocol != Protocol::other);
  const bool has_port = event.protocol == Protocol::tcp || event.protocol == Protocol::udp;
  require(has_port || event.port == 0);
}

void check_against_its_line(const ParsedLine& parsed, const RawPacket& raw) {
  const std::string line = describe_packet(raw);
  if (!read_packet(raw.bytes)) return;
  const ParsedLine written = LineParser(noon).parse({line, Framing::kernel, raw.at});
  require(written.fate == parsed.fate);
  if (parsed.fate != LineFate::judged) return;
  require(written.event.source == parsed.event.source && written.event.port == parsed.event.port);
  require(written.event.protocol == parsed.event.protocol);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t link = std::min<size_t>(data[0] / 4, size - 1);
  // Buffers of their own, so that a read behind them is noticed.
  const std::vector<uint8_t> link_bytes(data + 1, data + 1 + link);
  const std::vector<uint8_t> bytes(data + 1 + link, data + size);
  RawPacket raw;
  raw.bytes = bytes;
  raw.link_bytes = link_bytes;
  raw.prefix = "refused: ";
  if ((data[0] & 1) == 0) raw.in = "eth0";
  if ((data[0] & 2) != 0) raw.out = "eth1";
  raw.at = noon;
  const ParsedLine parsed = parse_packet(raw);
  require(static_cast<size_t>(parsed.fate) < line_fates);
  if (parsed.fate == LineFate::judged) check_event(parsed.event, raw);
  check_against_its_line(parsed, raw);
  return 0;
}
