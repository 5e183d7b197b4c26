#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "model/event.hpp"
#include "model/source.hpp"
#include "parse/familiar_packet.hpp"
#include "parse/log_line.hpp"

namespace palang {

// What became of a line. All but `judged` end here, as a count.
enum class LineFate : uint8_t {
  judged,          // an Event: an inbound new contact that a firewall refused
  not_ours,        // a healthy line of no interest: other kernel messages; all programs', where no rules are loaded
  no_header,       // not a log line in any form we know
  broken,          // a firewall line that is cut off or masked: no usable address, protocol or port
  backscatter,     // an answer, not a contact: SYN+ACK, RST, a lone ACK, later fragments, IPv6 neighbours
  outbound,        // from this host
  forwarded,       // through this host
  group,           // to a multicast or broadcast address: not meant for this host in particular
  matched,         // a rule found something in a service's line
  unmatched,       // no rule did
  read_elsewhere,  // a firewall's line in a log that is read for its services only
};
inline constexpr size_t line_fates = 11;

[[nodiscard]] std::string_view line_fate_name(LineFate fate);

using LineCounts = std::array<uint64_t, line_fates>;

struct ParsedLine {
  LineFate fate = LineFate::no_header;
  Event event;  // meaningful where fate is judged
};

// bytes → Event. Keeps only what speeds up the next line, which mostly begins alike; allocates nothing.
class LineParser {
 public:
  explicit LineParser(WallTime booted) : reader_(booted) {}
  [[nodiscard]] ParsedLine parse(const RawLine& raw);
  // The line of a program that was parsed last; meaningful where its fate is not_ours. Not set for firewall lines,
  // which come by the million.
  [[nodiscard]] const LogLine& line() const { return line_; }

 private:
  static void judge(const FamiliarPackets::Packet& packet, const RawLine& raw, ParsedLine& parsed);

  LogLineReader reader_;
  FamiliarPackets familiar_;
  LogLine line_;
};

}  // namespace palang
