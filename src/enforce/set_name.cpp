#include "enforce/set_name.hpp"

#include <algorithm>
#include <charconv>

namespace palang {
namespace {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::allow: return "allow";
    case Role::full: return "full";
    case Role::quiet: return "quiet";
    case Role::open_tcp: return "open_tcp";
    case Role::open_udp: return "open_udp";
  }
  return "?";
}

bool take(std::string_view& text, std::string_view head) {
  if (!text.starts_with(head)) return false;
  text.remove_prefix(head.size());
  return true;
}

std::optional<uint32_t> take_number(std::string_view& text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

std::string SetName::text() const {
  std::string name(role_name(role));
  if (!holds_ports()) name.append(v4 ? "4_" : "6_").append(std::to_string(length));
  if (generation > 0) name.append("_").append(std::to_string(generation));
  return name;
}

std::optional<SetName> SetName::parse(std::string_view text) {
  SetName name;
  std::string_view rest = text;
  for (const Role role : {Role::open_tcp, Role::open_udp, Role::allow, Role::full, Role::quiet}) {
    if (!take(rest, role_name(role))) continue;
    name.role = role;
    break;
  }
  if (!name.holds_ports()) {
    name.v4 = take(rest, "4_");
    if (!name.v4 && !take(rest, "6_")) return std::nullopt;
    const auto length = take_number(rest);
    if (!length || *length > (name.v4 ? 32U : 128U)) return std::nullopt;
    name.length = static_cast<uint8_t>(*length);
  }
  if (take(rest, "_")) name.generation = take_number(rest).value_or(0);
  if (name.text() != text) return std::nullopt;  // one spelling only
  return name;
}

Element Element::of(const Prefix& prefix, WallTime until) {
  Element element{prefix.address().bytes(), until};
  if (prefix.is_v4()) {
    std::copy_n(element.key.begin() + 12, 4, element.key.begin());
    std::fill(element.key.begin() + 4, element.key.end(), uint8_t{0});
  }
  return element;
}

Element Element::of_port(uint16_t port) {
  Element element;
  element.key[0] = static_cast<uint8_t>(port >> 8);
  element.key[1] = static_cast<uint8_t>(port);
  return element;
}

Prefix Element::prefix(const SetName& set) const {
  if (!set.v4) return Prefix::around(Address::from_bytes(key), set.length);
  const uint32_t bits = uint32_t{key[0]} << 24 | uint32_t{key[1]} << 16 | uint32_t{key[2]} << 8 | key[3];
  return Prefix::of_length(Address::v4(bits), set.length);
}

}  // namespace palang
