#include "app/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/followed_files.hpp"
#include "app/rule_loading.hpp"
#include "app/rule_words.hpp"
#include "base/text.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "engine/coverage.hpp"
#include "engine/rule_examples.hpp"
#include "host/boot_time.hpp"
#include "source/replay.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<LoadedRuleSet> loaded_rules(const RulesOptions& options) {
  const auto config = load_config(options.config_path);
  if (!config) return Failure(config.error());
  return load_rule_set(*config);
}

// Whose lines it is for.
std::string subjects_of(const RuleDefinition& rule) {
  std::vector<std::string> all;
  for (const auto* list : {&rule.programs, &rule.units, &rule.files}) all.insert(all.end(), list->begin(), list->end());
  return fmt::format("{}", fmt::join(all, ", "));
}

Json rule_json(const RuleDefinition& rule) {
  Json json;
  json["name"] = rule.settings.name;
  json["enabled"] = rule.enabled;
  json["about"] = rule.about;
  json["source"] = fmt::format("{}:{}", rule.source, rule.at_line);
  json["programs"] = rule.programs;
  json["units"] = rule.units;
  json["files"] = rule.files;
  json["format"] = format_name(rule.format);
  json["proof"] = proof_name(rule.settings.proof);
  json["threshold"] = threshold_text(rule.settings);
  json["ban"] = ban_text(rule.settings.ban);
  return json;
}

const RuleDefinition* find_rule(const LoadedRuleSet& rules, std::string_view name) {
  const auto found =
      std::ranges::find_if(rules.definitions, [&](const RuleDefinition& rule) { return rule.settings.name == name; });
  return found == rules.definitions.end() ? nullptr : &*found;
}

Failure no_such_rule(const LoadedRuleSet& rules, const std::string& name) {
  std::vector<std::string_view> names;
  for (const RuleDefinition& rule : rules.definitions) names.push_back(rule.settings.name);
  const std::string_view near = nearest(name, names);
  return Failure(Error::not_found(fmt::format("there is no rule '{:.64}'{}", printable(name),
                                              near.empty() ? "" : fmt::format("; did you mean {}?", near))));
}

}  // namespace

Result<void> list_rules(const RulesOptions& options, const Console& console) {
  const auto rules = loaded_rules(options);
  if (!rules) return Failure(rules.error());
  if (options.json) {
    Json all = Json::array();
    for (const RuleDefinition& rule : rules->definitions) all.push_back(rule_json(rule));
    console.out << dump({{"rules", std::move(all)}, {"faults", rules->faults}});
    return {};
  }
  Table table({{"rule"}, {"found at", Align::left, true}, {"for", Align::left, true}, {"about", Align::left, true}});
  for (const RuleDefinition& rule : rules->definitions)
    table.add({printable(rule.settings.name + (rule.enabled ? "" : " (off)")), threshold_text(rule.settings),
               printable(subjects_of(rule)), printable(rule.about)});
  if (!table.empty()) console.out << table.text(console.width, Style(console.colour)) << "\n";
  console.out << rules->summary << "\n";
  for (const std::string& fault : rules->faults) console.err << "palang: " << printable(fault) << "\n";
  return {};
}

Result<void> show_rule(const RulesOptions& options, const std::string& name, const Console& console) {
  const auto rules = loaded_rules(options);
  if (!rules) return Failure(rules.error());
  const RuleDefinition* rule = find_rule(*rules, name);
  if (rule == nullptr) return no_such_rule(*rules, name);
  if (options.json) {
    Json json = rule_json(*rule);
    json["patterns"] = rule->patterns;
    json["ignore"] = rule->ignore;
    Json examples = Json::array();
    for (const RuleExample& example : rule->examples)
      examples.push_back({{"line", example.line}, {"match", example.match}, {"addr", example.addr}});
    json["examples"] = std::move(examples);
    console.out << dump(json);
    return {};
  }
  const auto line = [&](std::string_view what, const std::string& text) {
    if (!text.empty()) console.out << fmt::format("  {:<10} {}\n", what, printable(text));
  };
  console.out << fmt::format("{}: {}\n", Style(console.colour).bold(printable(name)), printable(rule->about));
  line("in use", rule->enabled ? "yes" : "no");
  line("written in", fmt::format("{}:{}", rule->source, rule->at_line));
  line("programs", fmt::format("{}", fmt::join(rule->programs, ", ")));
  line("units", fmt::format("{}", fmt::join(rule->units, ", ")));
  line("files", fmt::format("{}", fmt::join(rule->files, ", ")));
  line("format", std::string(format_name(rule->format)));
  line("found at", threshold_text(rule->settings));
  line("proof", std::string(proof_name(rule->settings.proof)));
  line("ban", ban_text(rule->settings.ban));
  for (const std::string& pattern : rule->patterns) line("pattern", pattern);
  for (const std::string& pattern : rule->ignore) line("ignore", pattern);
  for (const RuleExample& example : rule->examples) line(example.match ? "matches" : "not", example.line);
  return {};
}

Result<void> test_rules(const RulesOptions& options, const std::vector<std::string>& names, const Console& console) {
  auto rules = loaded_rules(options);
  if (!rules) return Failure(rules.error());
  for (const std::string& name : names)
    if (find_rule(*rules, name) == nullptr) return no_such_rule(*rules, name);
  const auto report = check_examples(rules->definitions, names);
  if (!report) return Failure(report.error());
  Json failed = Json::array();
  for (const ExampleFailure& failure : report->failures) {
    const std::string& name = failure.rule->settings.name;
    const std::string& line = failure.example->line;
    failed.push_back({{"rule", name}, {"at", failure.place()}, {"fault", failure.fault}, {"line", line}});
    if (!options.json)
      console.out << fmt::format("{}: {} {}:\n  {}\n", printable(failure.place()), printable(name), failure.fault,
                                 printable(line));
  }
  const size_t run = report->examples;
  const size_t failures = failed.size() + rules->faults.size();
  if (options.json) console.out << dump({{"examples", run}, {"failed", std::move(failed)}, {"faults", rules->faults}});
  for (const std::string& fault : rules->faults) console.err << "palang: " << printable(fault) << "\n";
  if (failures > 0)
    return fail(fmt::format("{} of {} failed, {} left out", counted(failures - rules->faults.size(), "example"), run,
                            counted(rules->faults.size(), "rule")));
  if (!options.json) console.out << fmt::format("{} {}\n", counted(run, "example"), run == 1 ? "holds" : "hold");
  return {};
}

Result<void> cover_logs(const RulesOptions& options, const CoverageOptions& asked, const Console& console) {
  auto rules = loaded_rules(options);
  if (!rules) return Failure(rules.error());
  const SystemClock clock;
  auto replay = Replay::open(asked.files, clock);
  if (!replay) return Failure(replay.error());
  std::vector<std::string> origins;
  for (const std::string& file : asked.files) origins.push_back(path_for_rules(file, rules->files));
  (*replay)->pretend(std::move(origins));
  Coverage coverage(std::move(rules->book), boot_time());
  std::optional<Error> damage;
  for (Source::Batch batch; !batch.finished;) {
    if (const auto done = (*replay)->read(batch); !done) damage = done.error();
    coverage.observe(batch);
  }
  const auto shapes = coverage.shapes();
  const size_t shown = asked.limit == 0 ? shapes.size() : std::min<size_t>(asked.limit, shapes.size());
  const uint64_t unknown = coverage.lines() - coverage.understood();
  if (options.json) {
    Json all = Json::array();
    for (size_t i = 0; i < shown; ++i)
      all.push_back({{"lines", shapes[i].lines},
                     {"program", shapes[i].program},
                     {"shape", shapes[i].shape},
                     {"example", shapes[i].example}});
    console.out << dump({{"lines", coverage.lines()},
                         {"understood", coverage.understood()},
                         {"shapes", shapes.size()},
                         {"not_understood", std::move(all)}});
  } else {
    console.out << fmt::format("{}, {} understood; the {} others have {}\n", counted(coverage.lines(), "line"),
                               grouped(coverage.understood()), grouped(unknown), counted(shapes.size(), "shape"));
    Table table({{"lines", Align::right}, {"program"}, {"shape"}});
    for (size_t i = 0; i < shown; ++i)
      table.add({grouped(shapes[i].lines), printable(shapes[i].program), printable(shapes[i].shape)});
    if (!table.empty()) console.out << table.text(console.width, Style(console.colour));
    if (shown < shapes.size()) console.out << fmt::format("and {} more; --limit 0 shows all\n", shapes.size() - shown);
  }
  if (damage) return Failure(*damage);
  return {};
}

}  // namespace palang
