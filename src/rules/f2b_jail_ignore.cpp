#include "rules/f2b_jail_ignore.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace palang::f2b {

namespace {

// "24", or "255.255.255.0" for IPv4.
std::optional<unsigned> mask_length(std::string_view text) {
  if (const auto mask = Address::parse(text); mask && mask->is_v4()) {
    const auto ones = static_cast<unsigned>(std::countl_one(mask->v4_bits()));
    const bool contiguous = ones + static_cast<unsigned>(std::countr_zero(mask->v4_bits())) >= 32;
    return contiguous ? std::optional(ones) : std::nullopt;
  }
  unsigned length = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return length;
}

std::optional<Prefix> ignored_prefix(std::string_view word) {
  const size_t slash = word.find('/');
  const auto address = Address::parse(word.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Prefix::of(*address);
  const auto length = mask_length(word.substr(slash + 1));
  if (!length || *length > (address->is_v4() ? 32U : 128U)) return std::nullopt;
  return Prefix::of_length(*address, *length);
}

bool is_host_name(std::string_view word) {
  const auto fits = [](char byte) {
    const char small = static_cast<char>(byte | 0x20);
    return (small >= 'a' && small <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
  };
  return std::ranges::all_of(word, fits) && word.find_first_not_of("0123456789.") != std::string_view::npos;
}

}  // namespace

void read_ignored(std::string_view text, const std::string& place, Jail& jail) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" ,\n\t\r"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (const auto prefix = ignored_prefix(word)) {
      jail.ignored.push_back(*prefix);
    } else if (is_host_name(word)) {
      jail.ignored_names.emplace_back(word);
    } else {
      jail.complaints.push_back(place + ": \"" + escape_controls(word) + "\" is no address, network or host name");
    }
  }
}

}  // namespace palang::f2b
