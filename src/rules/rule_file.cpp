#include "rules/rule_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/text.hpp"
#include "model/complaints.hpp"
#include "model/toml_tree.hpp"
#include "rules/rule_reader.hpp"

namespace palang {
namespace {

constexpr size_t most_bytes = size_t{4} << 20;  // of one rule file

void append_lines(std::vector<std::string>& to, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    to.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

// Reads files one after another into one list of rules.
class RuleLoader {
 public:
  void read(const RuleText& file, bool own) {
    const auto top = parse_toml(file.text, file.file);
    if (!top) return append_lines(loaded_.faults, top.error().text);
    Complaints complaints;
    static constexpr std::array<std::string_view, 2> kinds{"rule", "override"};
    for (const TomlEntry& entry : *top) {
      const auto* list = std::get_if<TomlValue::List>(&entry.value.content);
      const bool known = entry.key == "rule" || (entry.key == "override" && own);
      if (!known) {
        const std::string_view near = nearest(entry.key, kinds);
        complaints.add(entry.line, entry.key.substr(0, 64),
                       near.empty() || near == entry.key
                           ? "has no place here; there are [[rule]] and, in rules.d, [[override]]"
                           : fmt::format("no such key; did you mean [[{}]]?", near));
      } else if (list == nullptr) {
        complaints.add(entry.line, entry.key, fmt::format("must be written [[{}]]", entry.key));
      } else {
        for (const TomlValue& element : *list) read_element(entry.key, element, file.file, complaints);
      }
    }
    append_lines(loaded_.faults, complaints.text(file.file));
  }

  [[nodiscard]] LoadedRules take() { return std::move(loaded_); }
  void begin_own() { first_own_ = loaded_.rules.size(); }

 private:
  void read_element(const std::string& kind, const TomlValue& element, const std::string& file,
                    Complaints& complaints) {
    const auto* table = std::get_if<TomlTable>(&element.content);
    if (table == nullptr) return complaints.add(element.line, kind, fmt::format("must be written [[{}]]", kind));
    if (kind == "rule")
      add(*table, element.line, file, complaints);
    else
      change(*table, element.line, complaints);
  }

  void add(const TomlTable& table, uint32_t line, const std::string& file, Complaints& complaints) {
    const size_t before = complaints.size();
    RuleDefinition rule = read_rule(table, line, complaints);
    if (complaints.size() > before) return;
    rule.source = file;
    const auto same = find(rule.settings.name);
    if (same == loaded_.rules.end()) {
      loaded_.rules.push_back(std::move(rule));
      return;
    }
    const bool shipped = static_cast<size_t>(same - loaded_.rules.begin()) < first_own_ && same->source != file;
    if (shipped)
      *same = std::move(rule);
    else
      complaints.add(line, rule.settings.name,
                     fmt::format("there is a rule of this name in {}:{} already", same->source, same->at_line));
  }

  void change(const TomlTable& table, uint32_t line, Complaints& complaints) {
    const std::string name = read_rule_name(table, line, "override", complaints);
    if (name.empty()) return;
    const auto found = find(name);
    if (found == loaded_.rules.end()) {
      std::vector<std::string_view> names;
      for (const RuleDefinition& rule : loaded_.rules) names.push_back(rule.settings.name);
      const std::string_view near = nearest(name, names);
      return complaints.add(
          line, "override." + name,
          near.empty() ? "there is no such rule" : fmt::format("there is no such rule; did you mean {}?", near));
    }
    RuleDefinition changed = *found;
    const size_t before = complaints.size();
    read_override(table, line, changed, complaints);
    if (complaints.size() == before) *found = std::move(changed);
  }

  std::vector<RuleDefinition>::iterator find(std::string_view name) {
    return std::ranges::find_if(loaded_.rules, [&](const RuleDefinition& rule) { return rule.settings.name == name; });
  }

  LoadedRules loaded_;
  size_t first_own_ = 0;
};

std::vector<RuleText> read_directory(const std::string& directory, std::vector<std::string>& faults) {
  std::vector<RuleText> files;
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (entry->path().extension() == ".toml") paths.push_back(entry->path());
  if (error && error != std::errc::no_such_file_or_directory)
    faults.push_back(fmt::format("{}: {}", directory, error.message()));
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file || text.size() > most_bytes)
      faults.push_back(fmt::format("{}: {}", path.string(), file ? "is too large for a rule file" : "can't be read"));
    else
      files.push_back({path.string(), std::move(text)});
  }
  return files;
}

}  // namespace

LoadedRules read_rules(std::span<const RuleText> shipped, std::span<const RuleText> own) {
  RuleLoader loader;
  for (const RuleText& file : shipped) loader.read(file, false);
  loader.begin_own();
  for (const RuleText& file : own) loader.read(file, true);
  return loader.take();
}

LoadedRules load_rules(const std::string& shipped_directory, const std::string& own_directory) {
  std::vector<std::string> faults;
  const auto shipped = read_directory(shipped_directory, faults);
  const auto own = read_directory(own_directory, faults);
  LoadedRules loaded = read_rules(shipped, own);
  loaded.faults.insert(loaded.faults.begin(), faults.begin(), faults.end());
  return loaded;
}

}  // namespace palang
