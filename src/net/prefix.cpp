#include "net/prefix.hpp"

#include <charconv>

namespace palang {
namespace {

Failure bad_prefix(std::string_view text, std::string_view why) {
  return Failure(Error::usage("'" + std::string(text.substr(0, 64)) + "' is not a prefix: " + std::string(why)));
}

}  // namespace

Result<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return Failure(address.error());
  if (slash == std::string_view::npos) return of(*address);

  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (status != std::errc{} || end != digits.data() + digits.size() || digits.size() > 3)
    return bad_prefix(text, "the length after / must be a number");
  // A mapped IPv4 address may be written with the length of its IPv6 form.
  const bool mapped = address->is_v4() && text.find(':') != std::string_view::npos;
  if (mapped && length < 96) return bad_prefix(text, "a v4-mapped prefix is at least /96 long");
  if (mapped) length -= 96;
  const unsigned longest = address->is_v4() ? 32 : 128;
  if (length > longest) return bad_prefix(text, "the length goes up to /" + std::to_string(longest));

  const Prefix prefix = of_length(*address, length);
  if (prefix.address() != *address) return bad_prefix(text, "host bits are set; the network is " + prefix.text());
  return prefix;
}

std::string Prefix::text() const {
  if (is_single()) return address_.text();
  return address_.text() + "/" + std::to_string(length());
}

}  // namespace palang
