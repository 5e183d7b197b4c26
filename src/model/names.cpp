#include <string>

#include "model/decision.hpp"
#include "model/event.hpp"
#include "model/finding.hpp"
#include "model/rule_settings.hpp"

namespace palang {

std::string_view proof_name(Proof proof) {
  switch (proof) {
    case Proof::forgeable: return "forgeable";
    case Proof::handshake: return "handshake";
    case Proof::application: return "application";
  }
  return "?";
}

std::string event_text(const Event& event) {
  std::string text = "SRC=" + event.source.text() + " PROTO=";
  for (const char letter : protocol_name(event.protocol))
    text += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  const bool has_port = event.protocol == Protocol::tcp || event.protocol == Protocol::udp;
  return has_port ? text + " DPT=" + std::to_string(event.port) : text;
}

std::string_view scope_name(Scope scope) {
  return scope == Scope::full ? "full" : "quiet";
}

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::local: return "local";
    case Origin::manual: return "manual";
    case Origin::imported: return "imported";
    case Origin::feed: return "feed";
    case Origin::fleet: return "fleet";
  }
  return "?";
}

std::string_view change_name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::added: return "added";
    case ChangeKind::moved: return "moved";
    case ChangeKind::ended: return "ended";
    case ChangeKind::lifted: return "lifted";
    case ChangeKind::absorbed: return "absorbed";
    case ChangeKind::evicted: return "evicted";
  }
  return "?";
}

std::string reason_text(const Decision& decision) {
  std::string target(protocol_name(decision.protocol));
  if (decision.protocol == Protocol::tcp || decision.protocol == Protocol::udp)
    target.append("/").append(std::to_string(decision.port));
  switch (decision.rule) {
    case Rule::blocked:
      if (decision.count > 1) return "refused " + std::to_string(decision.count) + " times, last at " + target;
      return "refused at " + target;
    case Rule::portscan: return "tried " + std::to_string(decision.count) + " ports, last " + target;
    case Rule::tripwire:
      if (decision.proof != Proof::forgeable) return "connected to a decoy, " + target;
      return "sent " + std::to_string(decision.count) + " packets to ports on which nobody listens, last " + target;
    case Rule::manual: return "banned by hand";
    case Rule::recovered: return "found in the kernel; its history was lost";
  }
  return reason_by_rule(rule_name(decision.rule), decision.count);
}

}  // namespace palang
