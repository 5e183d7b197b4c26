#include "model/settings.hpp"

namespace palang {

BanSettings default_profile() {
  return {};
}

BanSettings classic_profile() {
  BanSettings classic;
  classic.first = one_day * 3;
  classic.at_most = one_day * 3;
  classic.quiet = Duration{0};
  classic.widen.after = 1;
  classic.always_full = true;
  return classic;
}

Rule connections_rule() {
  static const Rule rule = rule_named("connections");
  return rule;
}

RuleSettings connections_rule_settings(const ConnectionSettings& settings) {
  RuleSettings rule;
  rule.name = "connections";
  rule.proof = Proof::handshake;
  rule.after = 1;  // who counts them tells only of those above the limit
  rule.within = settings.interval;
  rule.ban.first = settings.ban;
  return rule;
}

}  // namespace palang
