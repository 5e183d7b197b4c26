// A kernel message, whatever stands in it: the fields lie in it, each behind its own name.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/address_text.hpp"
#include "parse/netfilter_line.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

// `value` is a piece of the message that follows `name` and ends at a space or the end.
void check_field(std::string_view message, std::string_view name, std::string_view value) {
  if (value.data() == nullptr) return;
  require(value.data() >= message.data() + name.size() &&
          value.data() + value.size() <= message.data() + message.size());
  require(std::string_view(value.data() - name.size(), name.size()) == name);
  require(value.find(' ') == std::string_view::npos);
}

void check_address(std::string_view text) {
  const auto fast = read_address(text);
  const auto slow = Address::parse(text);
  require(fast.has_value() == slow.has_value());
  if (fast) require(*fast == *slow);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string message(reinterpret_cast<const char*>(data), size);
  check_address(std::string_view(message).substr(0, 64));
  const auto line = parse_netfilter(message);
  if (!line) return 0;
  require(line->prefix.data() == message.data() && line->prefix.size() < message.size());
  check_field(message, "IN=", line->in);
  check_field(message, " OUT=", line->out);
  check_field(message, " SRC=", line->source);
  check_field(message, " DST=", line->destination);
  check_field(message, " PROTO=", line->protocol_text);
  check_address(line->source);
  const auto says = [&](const char* name, unsigned value) {
    return message.find(name) != std::string_view::npos &&
           message.find(std::to_string(value) + " ") != std::string_view::npos;
  };
  if (line->has_ports) require(says("DPT=", line->destination_port));
  if (line->has_icmp_type) require(says(" TYPE=", line->icmp_type));
  if (line->protocol != Protocol::other) require(!line->protocol_text.empty());
  if (line->syn) require(line->has_flags);
  return 0;
}
