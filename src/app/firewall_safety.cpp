#include "app/firewall_safety.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "firewall/would_pass.hpp"
#include "host/gateways.hpp"
#include "host/live_admins.hpp"
#include "host/root.hpp"
#include "host/ssh_server.hpp"

namespace palang {
namespace {

bool opens_to_anybody(const FirewallSettings& settings, const Surroundings& surroundings, uint16_t port) {
  const auto holds = [port](const PortSpans& spans) {
    return std::ranges::any_of(spans, [port](const PortSpan& s) { return s.first <= port && port <= s.last; });
  };
  if (holds(settings.tcp_in)) return true;
  for (const FirewallRule& rule : settings.rules) {
    const bool in = rule.action == FirewallRule::Action::allow && rule.direction == FirewallDirection::in;
    const bool tcp = rule.protocol == FirewallProtocol::tcp || rule.protocol == FirewallProtocol::any;
    if (in && tcp && (rule.ports.empty() || holds(rule.ports)) && (!rule.until || *rule.until > surroundings.now))
      return true;
  }
  for (const FirewallList& list : settings.lists) {
    const auto found = surroundings.lists.find(list.name);
    if (list.action == FirewallList::Action::allow && found != surroundings.lists.end() && !found->second.empty())
      return true;
  }
  return std::ranges::any_of(settings.knocks, [port](const FirewallKnock& knock) {
    return knock.protocol == FirewallProtocol::tcp && knock.opens.first <= port && port <= knock.opens.last;
  });
}

}  // namespace

Protected look_for_protected() {
  const HostRoot root;
  Protected guarded;
  guarded.admins = live_admins(root);
  guarded.ssh = ssh_ports(root);
  if (auto gateways = default_gateways()) guarded.gateways = std::move(*gateways);
  // Who runs this command over ssh is an admin, even where no other witness tells.
  const std::string own = own_ssh_connection(root);
  if (const auto connections = connections_to(root, guarded.ssh); connections && !own.empty())
    for (const Socket& socket : *connections)
      if (connection_text(socket) == own) guarded.admins.push_back(socket.remote);
  std::ranges::sort(guarded.admins);
  guarded.admins.erase(std::ranges::unique(guarded.admins).begin(), guarded.admins.end());
  return guarded;
}

std::vector<LockOut> find_lock_outs(const FirewallSettings& settings, const Surroundings& surroundings,
                                    const Protected& guarded) {
  std::vector<LockOut> found;
  for (const uint16_t port : guarded.ssh.list())
    if (!opens_to_anybody(settings, surroundings, port))
      found.push_back({"ssh", fmt::format("nobody could reach sshd, which listens on tcp/{}", port)});
  for (const Address& admin : guarded.admins) {
    if (admin.is_loopback()) continue;
    for (const uint16_t port : guarded.ssh.list()) {
      const Admission admission = would_pass(settings, surroundings, {admin, FirewallProtocol::tcp, port});
      if (admission.passes) continue;
      found.push_back(
          {admin.text(), fmt::format("your ssh session from {} would be cut: {}{}", admin.text(),
                                     admission.why.starts_with("no rule") ? "" : "it is denied by ", admission.why)});
      break;
    }
  }
  for (const Address& gateway : guarded.gateways) {
    const Admission admission = would_pass(settings, surroundings, {gateway, FirewallProtocol::icmp, 0});
    // Being found as a neighbour takes no rule; being denied by one is another matter.
    const bool denied = admission.why.starts_with("the rule") || admission.why.starts_with("list");
    if (!admission.passes && denied)
      found.push_back({"gateway", fmt::format("the gateway {} would be denied by {}", gateway.text(), admission.why)});
  }
  return found;
}

}  // namespace palang
