#include "app/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, double digits) {
  return std::round(value * digits) / digits;
}

uint64_t whole(double count) {
  return static_cast<uint64_t>(std::llround(count));
}

uint64_t lines_per_second(const SurveyResult& result, double seconds) {
  return static_cast<uint64_t>(static_cast<double>(result.lines) / std::max(seconds, 1e-6));
}

const SimulationResult* policy_named(const SurveyResult& result, std::string_view name) {
  for (const SimulationResult& policy : result.policies)
    if (policy.name == name) return &policy;
  return nullptr;
}

std::string policy_table(const SurveyResult& result, const Console& console) {
  Table table({{"policy"},
               {"stopped", Align::right},
               {"per minute", Align::right},
               {"list mean", Align::right},
               {"peak", Align::right},
               {"addresses per attacker", Align::right}});
  for (const SimulationResult& policy : result.policies)
    table.add({policy.name, fmt::format("{:.1f} %", result.stopped_percent_of_later(policy)),
               fmt::format("{:.2f}", result.per_minute_after(policy)), grouped(whole(policy.list_mean)),
               grouped(policy.list_peak), fmt::format("{:.1f}", result.addresses_per_attacker(policy))});
  return table.text(console.width, Style(console.colour));
}

std::string top_table(const SurveyResult& result, const Console& console) {
  Table table({{"port"},
               {"events", Align::right},
               {"source"},
               {"events", Align::right},
               {"network"},
               {"events", Align::right}});
  const auto cell = [](const std::vector<Ranked>& all, size_t i) { return i < all.size() ? all[i].name : ""; };
  const auto count = [](const std::vector<Ranked>& all, size_t i) {
    return i < all.size() ? grouped(all[i].events) : std::string();
  };
  const size_t rows = std::max({result.top_ports.size(), result.top_sources.size(), result.top_prefixes.size()});
  for (size_t i = 0; i < rows; ++i)
    table.add({cell(result.top_ports, i), count(result.top_ports, i), cell(result.top_sources, i),
               count(result.top_sources, i), cell(result.top_prefixes, i), count(result.top_prefixes, i)});
  return table.text(console.width, Style(console.colour));
}

std::string rules_table(const SurveyResult& result, const Console& console) {
  Table table({{"rule"}, {"lines", Align::right}, {"sources", Align::right}, {"bans", Align::right}});
  for (const RuleTally& one : result.rules)
    table.add({std::string(rule_name(one.rule)), grouped(one.events), grouped(one.sources), grouped(one.bans)});
  return table.text(console.width, Style(console.colour));
}

std::string not_judged(const SurveyResult& result) {
  std::string text;
  for (size_t i = 0; i < line_fates; ++i) {
    const auto fate = static_cast<LineFate>(i);
    if (fate == LineFate::judged || fate == LineFate::matched || result.fates[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(result.fates[i]), line_fate_name(fate));
  }
  return text;
}

std::string conclusion(const SurveyResult& result) {
  const SimulationResult* ours = policy_named(result, "default");
  const SimulationResult* classic = policy_named(result, "classic");
  if (ours == nullptr || classic == nullptr) return {};
  return fmt::format(
      "Is it worth it?       The default stops {:.1f} % of all later attempts: {:.2f} a minute become {:.2f}.\n"
      "How long is the list? {} bans on average, {} at most. The kernel looks a packet up in constant time,\n"
      "                      so its length costs your users nothing.\n"
      "What would be better? The classic /24 for 3 days stops {:.1f} % and shuts out {:.0f} addresses for each "
      "attacker;\n"
      "                      the default shuts out {:.1f}.\n",
      result.stopped_percent_of_later(*ours), result.per_minute_before(), result.per_minute_after(*ours),
      grouped(whole(ours->list_mean)), grouped(ours->list_peak), result.stopped_percent_of_later(*classic),
      result.addresses_per_attacker(*classic), result.addresses_per_attacker(*ours));
}

}  // namespace

std::string report_text(const SurveyResult& result, double seconds, const Console& console) {
  const Style style(console.colour);
  std::string text =
      fmt::format("{} lines in {:.2f} s ({} lines/s), {} judged events from {} sources\n", grouped(result.lines),
                  seconds, grouped(lines_per_second(result, seconds)), grouped(result.events), grouped(result.sources));
  if (const std::string others = not_judged(result); !others.empty()) text += "not judged: " + others + "\n";
  if (result.events == 0)
    return text +
           "There is nothing to judge: no line of a firewall that refused an inbound contact, and none in which a rule "
           "found anything.\n";
  text +=
      fmt::format("{} to {} ({}), {:.2f} attempts a minute\n\n", format_local(result.first), format_local(result.last),
                  approximate_duration(result.last - result.first), result.per_minute_before());
  text += policy_table(result, console);
  text +=
      "stopped: of all attempts but each source's first; a network's ban can also stop first ones, hence over 100 "
      "%\n\n";
  text += conclusion(result) + "\n";
  if (!result.rules.empty())
    text +=
        style.bold("What rules found") + ", and bans under the default policy\n" + rules_table(result, console) + "\n";
  text += style.bold("Most often") + "\n" + top_table(result, console);
  return text;
}

std::string report_json(const SurveyResult& result, double seconds) {
  Json json;
  json["lines"] = result.lines;
  json["events"] = result.events;
  json["sources"] = result.sources;
  json["seconds"] = rounded(seconds, 1e6);
  json["lines_per_second"] = lines_per_second(result, seconds);
  json["per_minute_before"] = result.events == 0 ? 0 : rounded(result.per_minute_before(), 1e6);
  Json policies = Json::array();
  for (const SimulationResult& policy : result.policies) {
    Json row;
    row["name"] = policy.name;
    row["stopped_percent_of_later"] = rounded(result.stopped_percent_of_later(policy), 1e6);
    row["per_minute_after"] = result.events == 0 ? 0 : rounded(result.per_minute_after(policy), 1e6);
    row["list_mean"] = rounded(policy.list_mean, 1e6);
    row["list_peak"] = policy.list_peak;
    row["addresses_per_attacker"] = rounded(result.addresses_per_attacker(policy), 1e6);
    policies.push_back(std::move(row));
  }
  json["policies"] = std::move(policies);
  Json rules = Json::array();
  for (const RuleTally& one : result.rules)
    rules.push_back(
        {{"name", rule_name(one.rule)}, {"events", one.events}, {"sources", one.sources}, {"bans", one.bans}});
  if (!rules.empty()) json["rules"] = std::move(rules);
  return json.dump() + "\n";
}

}  // namespace palang
