#include "config/firewall_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace palang {
namespace {

bool has_ports(FirewallProtocol protocol) {
  return protocol == FirewallProtocol::tcp || protocol == FirewallProtocol::udp;
}

class FirewallCheck {
 public:
  FirewallCheck(const FirewallSettings& settings, Complaints& complaints)
      : settings_(settings), complaints_(complaints) {}

  void check_all() {
    for (const FirewallList& list : settings_.lists) check(list);
    for (const FirewallRule& rule : settings_.rules) check(rule);
    for (const FirewallLimit& limit : settings_.limits) check(limit);
    for (const FirewallKnock& knock : settings_.knocks) check(knock);
    for (const FirewallRedirect& redirect : settings_.redirects) check(redirect);
  }

 private:
  void complain(const Written& written, std::string_view key, std::string_view sentence) {
    complaints_.add(written.line, key, sentence);
  }

  void check(const FirewallList& list) {
    if (list.name.empty()) return complain(list.written, "firewall.list.name", "is missing");
    if (!names_.insert(list.name).second)
      complain(list.written, "firewall.list.name", fmt::format("'{}' is a list already", list.name));
    if (list.file.empty() == list.url.empty())
      complain(list.written, "firewall.list", fmt::format("list {} needs either a file or a url", list.name));
  }

  void check(const FirewallRule& rule) {
    const bool out = rule.direction == FirewallDirection::out;
    if ((!rule.ports.empty() || !rule.source_ports.empty()) && !has_ports(rule.protocol))
      complain(rule.written, "firewall.rule.ports", "are only for protocol = \"tcp\" or \"udp\"");
    if ((!rule.user.empty() || !rule.group.empty()) && !out)
      complain(rule.written, "firewall.rule.user", "is only for direction = \"out\": who sends is known only here");
    const bool denies = rule.action == FirewallRule::Action::deny;
    for (const FirewallPeer& peer : rule.peers) {
      check(peer, rule.written, "firewall.rule.peer");
      if (denies && !out && rule.ports.empty() && peer.kind == FirewallPeer::Kind::prefix && peer.prefix.length() == 0)
        complain(rule.written, "firewall.rule.peer",
                 fmt::format("{} denies everyone, you too; what no rule opens is refused anyway", peer.prefix.text()));
    }
    if (denies && !out && rule.peers.empty() && rule.ports.empty())
      complain(rule.written, "firewall.rule.peer", "is missing: this denies everyone, you too");
    const bool wide = rule.peers.empty() && rule.ports.empty() && rule.source_ports.empty();
    if (!denies && !out && wide && rule.protocol != FirewallProtocol::icmp)
      complain(rule.written, "firewall.rule", "allows everything to everyone: give it ports or a peer");
  }

  void check(const FirewallPeer& peer, const Written& written, std::string_view key) {
    if (peer.kind != FirewallPeer::Kind::list) return;
    const bool known = std::ranges::any_of(settings_.lists, [&](const FirewallList& l) { return l.name == peer.name; });
    if (!known) complain(written, key, fmt::format("there is no [[firewall.list]] of the name '{}'", peer.name));
  }

  void check(const FirewallLimit& limit) {
    if (!has_ports(limit.protocol)) complain(limit.written, "firewall.limit.protocol", "must be \"tcp\" or \"udp\"");
    if (limit.ports.empty()) complain(limit.written, "firewall.limit.ports", "are missing");
    if (limit.connections == 0 && !limit.rate)
      complain(limit.written, "firewall.limit", "limits nothing: give it connections or a rate");
  }

  void check(const FirewallKnock& knock) {
    if (!has_ports(knock.protocol)) complain(knock.written, "firewall.knock.protocol", "must be \"tcp\" or \"udp\"");
    if (knock.opens.first == 0) complain(knock.written, "firewall.knock.opens", "is missing: a port");
    if (knock.sequence.size() < 2 || knock.sequence.size() > 16)
      complain(knock.written, "firewall.knock.sequence", "has 2 to 16 ports");
    for (size_t i = 0; i < knock.sequence.size(); ++i) {
      if (i > 0 && knock.sequence[i] == knock.sequence[i - 1])
        complain(knock.written, "firewall.knock.sequence", "repeats a port: a packet that is sent again would count");
      if (knock.sequence[i] >= knock.opens.first && knock.sequence[i] <= knock.opens.last)
        complain(knock.written, "firewall.knock.sequence", "holds the port that it opens");
    }
  }

  void check(const FirewallRedirect& redirect) {
    if (!has_ports(redirect.protocol))
      complain(redirect.written, "firewall.redirect.protocol", "must be \"tcp\" or \"udp\"");
    if (redirect.port == 0) complain(redirect.written, "firewall.redirect.port", "is missing");
    if (redirect.to_port == 0) complain(redirect.written, "firewall.redirect.to_port", "is missing");
    if (redirect.address && redirect.to_address && redirect.address->is_v4() != redirect.to_address->is_v4())
      complain(redirect.written, "firewall.redirect.to_address", "is of another family than address");
  }

  const FirewallSettings& settings_;
  Complaints& complaints_;
  std::set<std::string> names_;
};

}  // namespace

void begin_firewall_part(std::string_view section, uint32_t line, FirewallSettings& settings) {
  const Written written{line};
  if (section == "firewall.rule") settings.rules.emplace_back().written = written;
  if (section == "firewall.limit") settings.limits.emplace_back().written = written;
  if (section == "firewall.list") settings.lists.emplace_back().written = written;
  if (section == "firewall.knock") settings.knocks.emplace_back().written = written;
  if (section == "firewall.redirect") settings.redirects.emplace_back().written = written;
}

void check_firewall(const FirewallSettings& settings, Complaints& complaints) {
  FirewallCheck(settings, complaints).check_all();
}

}  // namespace palang
