#include "source/file_mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace palang {
namespace {

constexpr size_t most_marks = 64;

// Takes " name=number" off the front of `text`.
template <typename Number>
std::optional<Number> take_field(std::string_view& text, std::string_view name, int base = 10) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  Number number{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (status != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

std::optional<FileMark> parse_mark(std::string_view text) {
  const auto device = take_field<uint64_t>(text, "dev=");
  const auto inode = take_field<uint64_t>(text, "ino=");
  const auto offset = take_field<uint64_t>(text, "off=");
  const auto head = take_field<uint64_t>(text, "head=", 16);
  const auto tail = take_field<uint64_t>(text, "tail=", 16);
  const auto changed = take_field<int64_t>(text, "mtime=");
  if (!device || !inode || !offset || !head || !tail || !changed || !text.empty()) return std::nullopt;
  if (*offset > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return FileMark{{*device, *inode}, *offset, *head, *tail, *changed};
}

}  // namespace

uint64_t fingerprint(std::string_view bytes) {
  uint64_t hash = fingerprint_of_nothing;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::string format_marks(const std::vector<FileMark>& marks) {
  std::string text;
  for (const FileMark& mark : marks) {
    if (!text.empty()) text += "; ";
    fmt::format_to(std::back_inserter(text), "dev={} ino={} off={} head={:016x} tail={:016x} mtime={}", mark.id.device,
                   mark.id.inode, mark.offset, mark.head, mark.tail, mark.changed_ns);
  }
  return text;
}

Result<std::vector<FileMark>> parse_marks(std::string_view text) {
  std::vector<FileMark> marks;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const auto mark = parse_mark(rest.substr(0, end));
    if (!mark || marks.size() == most_marks) return fail(fmt::format("'{}' is not a position in a file", text));
    marks.push_back(*mark);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return marks;
}

}  // namespace palang
