// A log line, whatever stands in it: one fate, and an event only of what the line really says.
// The first byte chooses the framing and how far the rest is from its newest possible time.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>

#include "parse/line_parser.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

constexpr WallTime booted = std::chrono::sys_days{std::chrono::year{2025} / 1 / 12};

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_header(const RawLine& raw) {
  LogLineReader reader(booted);
  const auto line = reader.read(raw);
  if (!line) return;
  require(lies_within(line->message, raw.text));
  require(!line->from_kernel || line->program == "kernel");
  if (raw.framing == Framing::kernel) require(line->from_kernel && line->at == raw.at);
}

void check_event(const Event& event, const RawLine& raw) {
  require(event.source.is_unicast());
  require(event.proof == Proof::forgeable);
  require(event.line.data() == raw.text.data() && event.line.size() == raw.text.size());
  require(event.protocol != Protocol::other);
  const bool has_port = event.protocol == Protocol::tcp || event.protocol == Protocol::udp;
  require(has_port || event.port == 0);
  for (const std::string_view field : {"IN=", " OUT= ", " SRC=", " PROTO="})
    require(raw.text.find(field) != std::string_view::npos);
  if (event.protocol == Protocol::tcp) require(raw.text.find("SYN") != std::string_view::npos);
}

// No end of a judged line that is cut off changes who it names.
void check_cuts(const Event& whole, const RawLine& raw, size_t step) {
  for (size_t length = 0; length < raw.text.size(); length += step) {
    const RawLine cut{raw.text.substr(0, length), raw.framing, raw.at};
    const ParsedLine parsed = LineParser(booted).parse(cut);
    if (parsed.fate != LineFate::judged) continue;
    require(parsed.event.source == whole.source && parsed.event.port == whole.port);
  }
}

// A parser that knows how this line begins says the same of it as one that has seen none.
void check_familiar(const ParsedLine& unfamiliar, const RawLine& raw) {
  const size_t source = raw.text.find(" SRC=");
  if (source == std::string_view::npos) return;
  const std::string alike = std::string(raw.text.substr(0, source + 5)) +
                            "203.0.113.19 DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP "
                            "SPT=64490 DPT=8000 WINDOW=50169 RES=0x00 SYN URGP=0";
  LineParser parser(booted);
  (void)parser.parse({alike, raw.framing, raw.at});
  const ParsedLine familiar = parser.parse(raw);
  require(familiar.fate == unfamiliar.fate);
  if (familiar.fate != LineFate::judged) return;
  const auto what = [](const Event& event) {
    return std::tuple(event.at, event.source, event.port, event.protocol, event.proof, event.port_is_closed);
  };
  require(what(familiar.event) == what(unfamiliar.event));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Framing framing = data[0] % 2 == 0 ? Framing::syslog : Framing::kernel;
  const RawLine raw{text, framing, booted + one_day * (data[0] / 2)};
  check_header(raw);
  LineParser parser(booted);
  const ParsedLine parsed = parser.parse(raw);
  require(static_cast<size_t>(parsed.fate) < line_fates && line_fate_name(parsed.fate) != "?");
  const ParsedLine again = parser.parse(raw);
  require(again.fate == parsed.fate);
  check_familiar(parsed, raw);
  if (parsed.fate != LineFate::judged) return 0;
  check_event(parsed.event, raw);
  require(again.event.source == parsed.event.source && again.event.port == parsed.event.port);
  check_cuts(parsed.event, raw, 1 + size / 64);
  return 0;
}
