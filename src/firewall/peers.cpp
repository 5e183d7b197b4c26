#include "firewall/peers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "firewall/nft_words.hpp"

namespace palang {
namespace {

// More than so many stand in hash sets instead of the rule itself.
constexpr size_t most_in_a_rule = 16;

std::string key_type(bool v4) {
  return v4 ? "type ipv4_addr" : "type ipv6_addr";
}

}  // namespace

// A dot is written as "__", a hyphen as "_h", an underscore as "_u", so that no two hosts share a set.
std::string PeerSets::host_set(std::string_view host, bool v4) {
  std::string name = "host_";
  for (const char c : host) {
    if (c == '.')
      name += "__";
    else if (c == '-')
      name += "_h";
    else if (c == '_')
      name += "_u";
    else
      name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name + (v4 ? "_4" : "_6");
}

std::vector<std::string> PeerSets::matches(const std::vector<FirewallPeer>& peers, bool source) {
  if (peers.empty()) return {""};
  std::vector<std::string> matches;
  std::vector<Prefix> prefixes;
  for (const FirewallPeer& peer : peers)
    if (peer.kind == FirewallPeer::Kind::prefix) prefixes.push_back(peer.prefix);
  if (prefixes.size() <= most_in_a_rule)
    add_few(prefixes, source, matches);
  else
    add_prefixes(fmt::format("peers{}", ++long_peers_), prefixes, source, matches);
  for (const FirewallPeer& peer : peers) {
    if (peer.kind == FirewallPeer::Kind::host) add_host(peer.name, source, matches);
    if (peer.kind == FirewallPeer::Kind::list)
      for (std::string& match : matches_of_list(peer.name, source)) matches.push_back(std::move(match));
  }
  return matches;
}

std::vector<std::string> PeerSets::matches_of_list(const std::string& name, bool source) {
  std::vector<std::string> matches;
  const auto found = surroundings_.lists.find(name);
  if (found != surroundings_.lists.end()) add_prefixes("list_" + name, found->second, source, matches);
  return matches;
}

void PeerSets::add_few(const std::vector<Prefix>& prefixes, bool source, std::vector<std::string>& matches) {
  for (const bool v4 : {true, false}) {
    std::vector<Prefix> sorted;
    for (const Prefix& prefix : prefixes)
      if (prefix.is_v4() == v4) sorted.push_back(prefix);
    std::ranges::sort(sorted, {}, [](const Prefix& p) { return std::pair(p.bits(), p); });
    std::vector<std::string> texts;
    std::vector<Prefix> kept;
    for (const Prefix& prefix : sorted) {
      if (std::ranges::any_of(kept, [&](const Prefix& wider) { return wider.contains(prefix); })) continue;
      kept.push_back(prefix);
      if (prefix.length() == 0) {  // no set and no comparison can say "all"
        matches.push_back(fmt::format("meta nfproto {}", v4 ? "ipv4" : "ipv6"));
        break;
      }
      texts.push_back(prefix.text());
    }
    if (texts.size() == 1) matches.push_back(fmt::format("{} {}", nft_side(v4, source), texts.front()));
    if (texts.size() > 1) matches.push_back(fmt::format("{} {{ {} }}", nft_side(v4, source), fmt::join(texts, ", ")));
  }
}

void PeerSets::add_prefixes(std::string_view name, const std::vector<Prefix>& prefixes, bool source,
                            std::vector<std::string>& matches) {
  std::map<std::pair<bool, unsigned>, std::vector<Prefix>> by_length;
  for (const Prefix& prefix : prefixes) by_length[{!prefix.is_v4(), prefix.length()}].push_back(prefix);
  for (auto& [key, members] : by_length) {
    const bool v4 = !key.first;
    const unsigned length = key.second;
    if (length == 0) {
      matches.push_back(fmt::format("meta nfproto {}", v4 ? "ipv4" : "ipv6"));
      continue;
    }
    const std::string part = fmt::format("{}_{}_{}", name, v4 ? 4 : 6, length);
    matches.push_back(fmt::format("{} @{}", nft_network(v4, source, length), script_.name(part)));
    if (!written_.insert(part).second) continue;
    std::ranges::sort(members);
    members.erase(std::ranges::unique(members).begin(), members.end());
    std::vector<std::string> elements;
    elements.reserve(members.size());
    for (const Prefix& prefix : members) elements.push_back(prefix.address().text());
    // A size spares the kernel to make a larger table again and again.
    script_.add_set(part, fmt::format("{}; size {}", key_type(v4), elements.size()));
    script_.add_elements(part, std::move(elements));
  }
}

void PeerSets::add_host(const std::string& host, bool source, std::vector<std::string>& matches) {
  const auto found = surroundings_.hosts.find(host);
  for (const bool v4 : {true, false}) {
    const std::string part = host_set(host, v4);
    matches.push_back(fmt::format("{} @{}", nft_side(v4, source), script_.name(part)));
    if (!written_.insert(part).second) continue;
    script_.add_set(part, key_type(v4) + "; " + nft_comment(host));
    std::vector<std::string> elements;
    if (found != surroundings_.hosts.end())
      for (const Address& address : found->second)
        if (address.is_v4() == v4) elements.push_back(address.text());
    std::ranges::sort(elements);
    elements.erase(std::ranges::unique(elements).begin(), elements.end());
    script_.add_elements(part, std::move(elements));
  }
}

}  // namespace palang
