#include "parse/log_line.hpp"

#include <algorithm>
#include <charconv>

namespace palang {
namespace {

constexpr std::string_view kernel_name = "kernel";
constexpr Duration near = one_day * 30;

std::string_view skip_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

// The characters up to the next space; `rest` is moved behind that space.
std::string_view take_word(std::string_view& rest) {
  size_t space = 0;
  while (space < rest.size() && rest[space] != ' ') ++space;
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(std::min(space + 1, rest.size()));
  return word;
}

// "[ 5678.901234] text": the seconds and where the text begins.
struct BootStamp {
  Duration since_boot{0};
  size_t length = 0;
};

std::optional<BootStamp> read_boot_stamp(std::string_view text) {
  if (text.empty() || text[0] != '[') return {};
  size_t at = 1;
  while (at < text.size() && text[at] == ' ') ++at;
  int64_t seconds = 0;
  int64_t micros = 0;
  const char* end = text.data() + text.size();
  const auto whole = std::from_chars(text.data() + at, end, seconds);
  if (whole.ec != std::errc{} || whole.ptr == end || *whole.ptr != '.' || seconds < 0) return {};
  const auto fraction = std::from_chars(whole.ptr + 1, end, micros);
  const bool six_digits = fraction.ec == std::errc{} && fraction.ptr - whole.ptr == 7 && micros >= 0;
  if (!six_digits || fraction.ptr == end || *fraction.ptr != ']') return {};
  if (seconds > 10LL * 365 * 86400) return {};
  auto length = static_cast<size_t>(fraction.ptr - text.data()) + 1;
  if (length < text.size() && text[length] == ' ') ++length;
  return BootStamp{Duration{seconds * 1'000'000 + micros}, length};
}

// "<4>" at the beginning is dropped.
std::string_view without_priority(std::string_view text) {
  if (text.empty() || text[0] != '<') return text;
  const size_t close = text.substr(0, 5).find('>');
  if (close == std::string_view::npos || close < 2) return text;
  for (const char c : text.substr(1, close - 1))
    if (c < '0' || c > '9') return text;
  return text.substr(close + 1);
}

LogLine kernel_line(WallTime at, std::string_view message) {
  if (!message.empty() && message[0] == '[')
    if (const auto stamp = read_boot_stamp(message)) message.remove_prefix(stamp->length);
  return {at, kernel_name, message, true};
}

}  // namespace

// Nearly always: the header of the kernel's line before, but for the second.
inline std::optional<LogLine> LogLineReader::read_like_before(std::string_view text) {
  const auto stamp = timestamps_.iso_like_before(text);
  if (!stamp || !is_kernel_tag(text.substr(stamp->length))) return {};
  newest_beside_dated_ = stamp->at + near;
  return kernel_line(stamp->at, text.substr(stamp->length + kernel_tag_length_));
}

std::optional<LogLine> LogLineReader::read(const RawLine& raw) {
  if (raw.framing == Framing::syslog)
    if (const auto line = read_like_before(raw.text)) return line;
  if (raw.framing == Framing::kernel) return LogLine{raw.at, kernel_name, raw.text, true};
  if (raw.framing == Framing::message)
    return LogLine{raw.at, raw.origin == nullptr ? std::string_view{} : raw.origin->identifier, raw.text, false};
  const std::string_view text = without_priority(raw.text);
  if (text.size() < 2) return {};
  if (text[0] == '[') return read_dmesg(text);
  if (text[0] == '1' && text[1] == ' ') return read_rfc5424(text.substr(2));
  if (auto line = read_traditional(text, raw.at)) return line;
  return read_kmsg(text);
}

std::optional<LogLine> LogLineReader::read_traditional(std::string_view text, WallTime newest) {
  const bool digit = text[0] >= '0' && text[0] <= '9';
  const auto stamp = digit ? timestamps_.iso(text) : timestamps_.bsd(text, std::min(newest, newest_beside_dated_));
  if (!stamp || stamp->length >= text.size() || text[stamp->length] != ' ') return {};
  if (digit) newest_beside_dated_ = stamp->at + near;
  const std::string_view behind_stamp = text.substr(stamp->length);
  if (is_kernel_tag(behind_stamp)) return kernel_line(stamp->at, behind_stamp.substr(kernel_tag_length_));
  std::string_view rest = behind_stamp.substr(1);
  take_word(rest);  // the host
  const std::string_view tag = take_word(rest);
  if (tag.size() < 2 || tag.back() != ':') return {};
  if (tag == "kernel:") {
    remember_kernel_tag(behind_stamp.substr(0, behind_stamp.size() - rest.size()));
    return kernel_line(stamp->at, rest);
  }
  const std::string_view program = tag.substr(0, tag.find_first_of(":["));
  return LogLine{stamp->at, program, rest, false};
}

void LogLineReader::remember_kernel_tag(std::string_view tag) {
  // At the end of a line the space is missing that proves where the tag ends.
  if (tag.size() > kernel_tag_.size() || !tag.ends_with(": ")) return;
  tag.copy(kernel_tag_.data(), tag.size());
  kernel_tag_length_ = tag.size();
}

std::optional<LogLine> LogLineReader::read_rfc5424(std::string_view text) {
  const auto stamp = timestamps_.iso(text);
  if (!stamp || stamp->length >= text.size() || text[stamp->length] != ' ') return {};
  std::string_view rest = text.substr(stamp->length + 1);
  take_word(rest);  // the host
  const std::string_view program = take_word(rest);
  take_word(rest);  // process id
  take_word(rest);  // message id
  if (rest.starts_with('[')) {
    // Structured data ends at the first "] " or "]" at the end; a ']' inside a value is escaped (RFC 5424 §6.3.3).
    size_t at = 0;
    for (bool inside = false; at < rest.size(); ++at) {
      if (rest[at] == '\\') {
        ++at;
      } else if (rest[at] == '[') {
        inside = true;
      } else if (rest[at] == ']') {
        inside = false;
      } else if (rest[at] == ' ' && !inside) {
        break;
      }
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
  } else {
    take_word(rest);  // "-": no structured data
  }
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  if (program == kernel_name) return kernel_line(stamp->at, rest);
  return LogLine{stamp->at, program, rest, false};
}

std::optional<LogLine> LogLineReader::read_kmsg(std::string_view text) const {
  // Documentation/ABI/testing/dev-kmsg: "prio,seq,usec,flags[,…];text"
  const size_t semicolon = text.find(';');
  if (semicolon > 100) return {};  // npos, too
  uint32_t priority = 0;
  uint64_t sequence = 0;
  int64_t micros = 0;
  const char* end = text.data() + semicolon;
  const auto first = std::from_chars(text.data(), end, priority);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return {};
  const auto second = std::from_chars(first.ptr + 1, end, sequence);
  if (second.ec != std::errc{} || second.ptr == end || *second.ptr != ',') return {};
  const auto third = std::from_chars(second.ptr + 1, end, micros);
  if (third.ec != std::errc{} || micros < 0 || micros > Duration{one_day * 3650}.count()) return {};
  const bool facility_kernel = priority >> 3 == 0;
  return LogLine{booted_ + Duration{micros}, facility_kernel ? kernel_name : std::string_view{},
                 text.substr(semicolon + 1), facility_kernel};
}

std::optional<LogLine> LogLineReader::read_dmesg(std::string_view text) const {
  const auto stamp = read_boot_stamp(text);
  if (!stamp) return {};
  return LogLine{booted_ + stamp->since_boot, kernel_name, skip_spaces(text.substr(stamp->length)), true};
}

}  // namespace palang
