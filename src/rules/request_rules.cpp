#include "rules/request_rules.hpp"

#include <algorithm>
#include <utility>

#include "rules/request_path.hpp"

namespace palang {
namespace {

bool any_id_within(const WafHit& waf, const std::vector<IdRange>& ranges) {
  for (size_t i = 0; i < waf.rules; ++i)
    for (const IdRange& range : ranges)
      if (waf.rule_ids[i] >= range.first && waf.rule_ids[i] <= range.last) return true;
  return false;
}

// A WAF's line in an error log has the path without the method.
bool has_path(const HttpAccess& request) {
  return !request.method.empty() || request.target.starts_with('/');
}

}  // namespace

Result<void> RequestRules::add(uint32_t id, const WhereSettings& where) {
  Rule rule;
  rule.id = id;
  rule.any_status = where.status.empty();
  for (const StatusRange& range : where.status)
    for (uint32_t status = range.first; status <= range.last && status < rule.status.size(); ++status)
      rule.status.set(status);
  rule.methods = where.method;
  for (const uint8_t severity : where.severity) rule.severities |= static_cast<uint16_t>(1U << severity);
  rule.rule_ids = where.rule_id;
  rule.blocked = where.blocked;
  rule.wants_waf = rule.severities != 0 || !rule.rule_ids.empty() || rule.blocked;

  const std::array<const std::vector<std::string>*, fields> lists{
      &where.path, &where.query, &where.agent, &where.referer, &where.host, &where.user, &where.line};
  for (size_t field = 0; field < fields; ++field) {
    FieldPatterns& all = patterns_[field];
    rule.conditions[field].first = static_cast<uint32_t>(all.regexes.size());
    for (const std::string& text : *lists[field]) {
      auto regex = Regex::compile(text);
      if (!regex) return Failure(regex.error());
      all.regexes.push_back(std::move(*regex));
      all.texts.push_back({text});
    }
    rule.conditions[field].last = static_cast<uint32_t>(all.regexes.size());
  }
  rules_.push_back(std::move(rule));
  return {};
}

void RequestRules::finish() {
  for (FieldPatterns& field : patterns_) {
    field.set = PatternSet::compile(field.texts);
    field.texts = {};
  }
}

void RequestRules::match(const HttpAccess& request, const WafHit* waf, ScanMemory& memory, Captures& captures,
                         std::vector<uint32_t>& ids) {
  ids.clear();
  for (FieldPatterns& field : patterns_) field.scanned = false;
  for (const Rule& rule : rules_) {
    if (!meets(rule, request, waf)) continue;
    bool all = true;
    for (size_t field = 0; field < fields && all; ++field)
      all = meets_patterns(rule, static_cast<Field>(field), request, memory, captures);
    if (all) ids.push_back(rule.id);
  }
}

bool RequestRules::meets(const Rule& rule, const HttpAccess& request, const WafHit* waf) {
  if (!rule.any_status && (request.status >= rule.status.size() || !rule.status.test(request.status))) return false;
  if (!rule.methods.empty() && std::ranges::find(rule.methods, request.method) == rule.methods.end()) return false;
  if (!rule.wants_waf) return true;
  if (waf == nullptr) return false;
  if (rule.severities != 0 && (waf->severity > 7 || (rule.severities >> waf->severity & 1) == 0)) return false;
  if (rule.blocked && *rule.blocked != waf->blocked) return false;
  return rule.rule_ids.empty() || any_id_within(*waf, rule.rule_ids);
}

std::string_view RequestRules::text_of(Field field, const HttpAccess& request) {
  const bool is_http = has_path(request);
  switch (field) {
    case path: return is_http ? request_path(request.target, buffer_) : std::string_view{};
    case query: return is_http ? request_query(request.target) : std::string_view{};
    case agent: return request.agent;
    case referer: return request.referer;
    case host: return request.host;
    case user: return request.user;
    case line: return is_http ? std::string_view{} : request.target;
  }
  return {};
}

bool RequestRules::meets_patterns(const Rule& rule, Field field, const HttpAccess& request, ScanMemory& memory,
                                  Captures& captures) {
  const Condition& condition = rule.conditions[field];
  if (condition.first == condition.last) return true;
  // Conditions on the request line are about lines that hold no request; all other texts are about requests.
  if (field == line && has_path(request)) return false;
  FieldPatterns& all = patterns_[field];
  if (!all.scanned) {
    all.scanned = true;
    all.text = text_of(field, request);
    all.set.candidates(all.text, memory, all.candidates);
  }
  auto next = std::ranges::lower_bound(all.candidates, condition.first);
  for (; next != all.candidates.end() && *next < condition.last; ++next)
    if (all.regexes[*next].match(all.text, captures)) return true;
  return false;
}

}  // namespace palang
