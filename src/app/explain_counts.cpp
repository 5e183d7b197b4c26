#include "app/explain_counts.hpp"

#include <algorithm>

#include "cli/json.hpp"

namespace palang {

ExplainCounts::ExplainCounts(const PolicySettings& policy, const std::string& socket)
    : detector_(policy, HashSeed{}), client_(socket) {
  for (const RuleSettings& rule : policy.rules) settings_.emplace(rule_named(rule.name), rule);
}

void ExplainCounts::count(const std::vector<Event>& events) {
  findings_.clear();
  for (const Event& event : events) {
    now_ = std::max(now_, event.at);
    detector_.observe(event, findings_);
  }
}

Distance ExplainCounts::distance_of(const Address& source, Rule rule) {
  Distance distance;
  if (const auto known = settings_.find(rule); known != settings_.end())
    distance.enough = known->second.bucket ? known->second.bucket->capacity + 1 : known->second.after;
  for (const Progress& one : detector_.progress_of(source, now_))
    if (one.rule == rule) distance.here = one.count;
  for (const Finding& finding : findings_) {
    if (finding.rule != rule || finding.offender != source) continue;
    distance.reached = true;
    distance.here = finding.count;
  }
  distance.daemon = daemons_count(source, rule);
  return distance;
}

std::optional<uint32_t> ExplainCounts::daemons_count(const Address& source, Rule rule) {
  if (unreachable_) return {};
  auto known = replies_.find(source);
  if (known == replies_.end()) {
    const auto body = client_.fetch({"GET", Target("/v1/progress").add("address", source.text()), ""});
    const auto reply = body ? read_progress(*body) : Result<ProgressReply>(Failure(body.error()));
    if (!reply) {
      unreachable_ = true;
      return {};
    }
    known = replies_.emplace(source, *reply).first;
  }
  for (const Progress& one : known->second.counts)
    if (one.rule == rule) return one.count;
  return 0;
}

}  // namespace palang
