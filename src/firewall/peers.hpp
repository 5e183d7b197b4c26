#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/nft_script.hpp"
#include "firewall/surroundings.hpp"
#include "model/firewall_settings.hpp"

namespace palang {

// Peers of rules as matches of nft. Lists and hosts become hash sets, one for each family and prefix length, which are
// written when they are first asked for.
class PeerSets {
 public:
  PeerSets(NftScript& script, const Surroundings& surroundings) : script_(script), surroundings_(surroundings) {}

  // One match a rule, which together are the peers: "ip saddr 192.0.2.1", "ip6 saddr & ffff:: @fw_office_6_16_1".
  // {""} where there are none, that is anyone; none where they name nobody (an empty list).
  [[nodiscard]] std::vector<std::string> matches(const std::vector<FirewallPeer>& peers, bool source);
  [[nodiscard]] std::vector<std::string> matches_of_list(const std::string& name, bool source);

  // What a set that holds a host's addresses is called, without fw_ and generation.
  [[nodiscard]] static std::string host_set(std::string_view host, bool v4);

 private:
  void add_prefixes(std::string_view name, const std::vector<Prefix>& prefixes, bool source,
                    std::vector<std::string>& matches);
  void add_host(const std::string& host, bool source, std::vector<std::string>& matches);
  void add_few(const std::vector<Prefix>& prefixes, bool source, std::vector<std::string>& matches);

  NftScript& script_;
  const Surroundings& surroundings_;
  std::set<std::string> written_;
  unsigned long_peers_ = 0;
};

}  // namespace palang
