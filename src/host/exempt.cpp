#include "host/exempt.hpp"

#include <map>

#include "host/gateways.hpp"
#include "host/live_admins.hpp"
#include "host/own_addresses.hpp"
#include "host/resolvers.hpp"

namespace palang {

std::vector<Exempt> merge_exempt(std::span<const Exempt> entries) {
  std::map<Prefix, std::string> reasons;
  for (const Exempt& entry : entries) {
    std::string& why = reasons[entry.prefix];
    why += (why.empty() ? "" : ", ") + entry.why;
  }
  std::vector<Exempt> merged;
  merged.reserve(reasons.size());
  for (auto& [prefix, why] : reasons) merged.push_back({prefix, std::move(why)});
  return merged;
}

ExemptReport gather_exempt(const HostRoot& root) {
  ExemptReport report;
  std::vector<Exempt> entries;
  const auto add = [&](std::span<const Address> addresses, std::string_view why) {
    for (const Address& address : addresses) entries.push_back({Prefix::of(address), std::string(why)});
  };
  const auto add_or_tell = [&](const Result<std::vector<Address>>& addresses, std::string_view why) {
    if (addresses)
      add(*addresses, why);
    else
      report.troubles.push_back(addresses.error().text);
  };
  for (const Prefix& prefix : loopback_prefixes()) entries.push_back({prefix, "loopback"});
  add_or_tell(own_addresses(), "own address");
  add_or_tell(default_gateways(), "gateway");
  add(resolvers(root), "resolver");
  add(live_admins(root), "live ssh peer");
  report.exempt = merge_exempt(entries);
  return report;
}

}  // namespace palang
