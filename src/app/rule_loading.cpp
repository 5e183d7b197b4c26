#include "app/rule_loading.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.hpp"

namespace palang {
namespace {

namespace fs = std::filesystem;

// "sshd-*" fits "sshd-login".
bool fits(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool fits_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return fits(pattern, name); });
}

// All *.toml of a directory that may be missing, in the order of their names.
std::vector<RuleText> texts_of(const std::string& directory, std::vector<std::string>& faults) {
  std::vector<RuleText> texts;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".toml") continue;
    const std::ifstream file(entry->path(), std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file)
      faults.push_back(fmt::format("{}: can't be read", entry->path().string()));
    else
      texts.push_back({entry->path().string(), text.str()});
  }
  if (error && error != std::errc::no_such_file_or_directory)
    faults.push_back(fmt::format("{}: {}", directory, error.message()));
  std::ranges::sort(texts, {}, &RuleText::file);
  return texts;
}

// Names in [rules] that are of no rule are most likely mistyped.
void check_names(const RulesSettings& settings, LoadedRuleSet& loaded) {
  std::vector<std::string_view> names;
  for (const RuleDefinition& rule : loaded.definitions) names.push_back(rule.settings.name);
  for (const auto* list : {&settings.enabled, &settings.disabled}) {
    for (const std::string& wanted : *list) {
      if (wanted == "*" || std::ranges::any_of(names, [&](std::string_view name) { return fits(wanted, name); }))
        continue;
      const std::string_view near = nearest(wanted, names);
      loaded.faults.push_back(fmt::format("rules.{}: there is no rule '{}'{}",
                                          list == &settings.enabled ? "enabled" : "disabled", wanted,
                                          near.empty() ? "" : fmt::format("; did you mean {}?", near)));
    }
  }
}

// The jails of a fail2ban configuration; what is wrong with one of them stops none of the others.
void load_jails(const Config& config, LoadedRuleSet& loaded) {
  auto jails = f2b::read_jails(config.rules.fail2ban);
  if (!jails) {
    loaded.jail_faults.push_back(jails.error().text);
    return;
  }
  loaded.jail_faults.insert(loaded.jail_faults.end(), jails->complaints.begin(), jails->complaints.end());
  std::erase_if(jails->enabled, [&](const f2b::Jail& jail) {
    const std::string name = settings_of(jail, config.policy.ban).name;
    return !fits_any(config.rules.enabled, name) || fits_any(config.rules.disabled, name);
  });
  loaded.book.jails = JailSet::compile(*jails, loaded.jail_faults);
  for (const f2b::Jail& jail : jails->enabled)
    if (jail.problem.empty()) loaded.settings.push_back(settings_of(jail, config.policy.ban));
  loaded.jails = std::move(jails->enabled);
}

std::string summary_of(const LoadedRuleSet& loaded, const std::vector<std::string>& places, const Config& config) {
  std::string text = places.empty() ? "no rules for the logs of services"
                                    : fmt::format("{} of {} rules from {}", loaded.book.rules.size(),
                                                  loaded.definitions.size(), fmt::join(places, " and "));
  if (!config.rules.fail2ban.empty())
    text +=
        fmt::format("; {} of {} jails from {}", loaded.book.jails.size(), loaded.jails.size(), config.rules.fail2ban);
  return text;
}

}  // namespace

std::string shipped_rules() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path installed = program.parent_path().parent_path() / "share/palang/rules";
    if (fs::is_directory(installed, error)) return installed;
    const fs::path tree = program.parent_path().parent_path().parent_path();  // build/PRESET/palang
    if (fs::exists(tree / "CMakePresets.json", error) && fs::is_directory(tree / "rules", error)) return tree / "rules";
  }
  return std::string(shipped_rules_directory);
}

Result<LoadedRuleSet> load_rule_set(const Config& config, Patterns patterns) {
  const RulesSettings& settings = config.rules;
  LoadedRuleSet loaded;
  std::vector<std::string> places;
  std::vector<RuleText> shipped;
  std::vector<RuleText> own;
  if (settings.shipped) {
    shipped = texts_of(shipped_rules(), loaded.faults);
    if (!shipped.empty()) places.push_back(shipped_rules());
  }
  for (const std::string& directory : settings.directories) {
    std::vector<RuleText> texts = texts_of(directory, loaded.faults);
    if (!texts.empty()) places.push_back(directory);
    own.insert(own.end(), std::make_move_iterator(texts.begin()), std::make_move_iterator(texts.end()));
  }
  LoadedRules read = read_rules(shipped, own);
  loaded.definitions = std::move(read.rules);
  loaded.faults.insert(loaded.faults.end(), read.faults.begin(), read.faults.end());
  check_names(settings, loaded);
  for (RuleDefinition& rule : loaded.definitions)
    rule.enabled = rule.enabled && fits_any(settings.enabled, rule.settings.name) &&
                   !fits_any(settings.disabled, rule.settings.name);
  auto set = patterns == Patterns::compiled ? RuleSet::compile(loaded.definitions)
                                            : Result<RuleSet>(RuleSet::when_needed(loaded.definitions));
  if (!set) return Failure(set.error());
  loaded.settings = set->settings();
  if (const ConnectionSettings& connections = config.policy.detect.connections; connections.limit > 0)
    loaded.settings.push_back(connections_rule_settings(connections));
  loaded.book.rules = std::move(*set);
  if (!settings.fail2ban.empty()) load_jails(config, loaded);
  loaded.files = loaded.book.jails.files();
  for (const RuleDefinition& rule : loaded.definitions)
    if (rule.enabled) loaded.files.insert(loaded.files.end(), rule.files.begin(), rule.files.end());
  std::ranges::sort(loaded.files);
  loaded.files.erase(std::ranges::unique(loaded.files).begin(), loaded.files.end());
  loaded.summary = summary_of(loaded, places, config);
  return loaded;
}

ServiceNames::ServiceNames(const std::vector<RuleDefinition>& definitions) {
  for (const RuleDefinition& rule : definitions) {
    if (!rule.enabled) continue;
    programs_.insert(programs_.end(), rule.programs.begin(), rule.programs.end());
    units_.insert(units_.end(), rule.units.begin(), rule.units.end());
  }
  for (auto* names : {&programs_, &units_}) {
    std::ranges::sort(*names);
    names->erase(std::ranges::unique(*names).begin(), names->end());
  }
}

bool ServiceNames::wants(const LineOrigin& origin) const {
  return fits_any(programs_, origin.identifier) || fits_any(programs_, origin.comm) || fits_any(units_, origin.unit);
}

}  // namespace palang
