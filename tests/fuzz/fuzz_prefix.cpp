// An address or prefix, whatever stands in it: an error in words, or one that its own text reads back.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/prefix.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_address(std::string_view text) {
  const auto address = Address::parse(text);
  if (!address) {
    require(address.error().kind == ErrorKind::usage && address.error().text.size() < 200);
    return;
  }
  require(text.size() <= 45);
  const auto again = Address::parse(address->text());
  require(again && *again == *address && again->text() == address->text());
  require(Address::from_bytes(address->bytes()) == *address);
  require(Prefix::of(*address).contains(*address));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_address(text);
  const auto prefix = Prefix::parse(text);
  if (!prefix) {
    require(prefix.error().kind == ErrorKind::usage && prefix.error().text.size() < 300);
    return 0;
  }
  require(prefix->length() <= (prefix->is_v4() ? 32U : 128U));
  require(Prefix::around(prefix->address(), prefix->bits()) == *prefix);
  const auto again = Prefix::parse(prefix->text());
  require(again && *again == *prefix && again->text() == prefix->text());
  return 0;
}
