// What the firewall reads besides its configuration: lists, its own files, and listings of the kernel. A fault of a
// list is one line that says where; a policy that is taken reads again as it is printed.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "firewall/firewall_store.hpp"
#include "firewall/list_file.hpp"
#include "firewall/nft_library.hpp"
#include "firewall/text_difference.hpp"
#include "firewall/transaction.hpp"

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace palang;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = parse_list(text, "list", 100);
  if (list) {
    require(list->prefixes.size() + list->hosts.size() <= 100);
  } else {
    require(list.error().text.starts_with("list:"));
    require(list.error().text.find('\n') == std::string::npos);
  }
  if (const auto policy = parse_policy(text)) {
    const auto again = parse_policy(print_policy(*policy));
    require(again && again->generation == policy->generation && again->open == policy->open);
  }
  const FirewallInKernel held = FirewallInKernel::parse(firewall_part_of(text));
  for (const std::string& chain : held.chains) require(chain.starts_with("fw_"));
  (void)comparable_policy(text);
  return 0;
}
