#include "rules/f2b_config.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"

namespace palang::f2b {

namespace fs = std::filesystem;

namespace {

constexpr size_t max_file = size_t{4} * 1024 * 1024;  // bytes
constexpr size_t max_files = 1000;                    // that one configuration is made of, files that repeat included

std::optional<std::string> read_text(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text(max_file, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// DIRECTORY/*.conf, sorted.
std::vector<std::string> files_in(const std::string& directory, std::string_view extension) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() > extension.size() && name.ends_with(extension) && name.front() != '.')
      found.push_back((fs::path(directory) / name).string());
  }
  std::ranges::sort(found);
  return found;
}

std::string local_of(const std::string& file) {
  return fs::path(file).replace_extension(".local").string();
}

// "sec/opt" of "%(sec/opt)s"; sections are words.
struct SectionOption {
  std::string_view section;
  std::string_view option;
};
std::optional<SectionOption> split_section_option(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) return std::nullopt;
  return SectionOption{name.substr(0, slash), name.substr(slash + 1)};
}

// Replaces %(x)s in one value.
class Interpolation {
 public:
  Interpolation(const Config& config, std::string_view section, const Values& variables,
                const std::map<std::string, IniOptions, std::less<>>& known)
      : config_(config), section_(section), variables_(variables), known_(known) {}

  [[nodiscard]] Result<std::string> expand(std::string_view text) {
    std::string result;
    const auto done = append(text, 1, result);
    if (!done) return std::unexpected(done.error());
    return result;
  }

 private:
  static constexpr int max_depth = 10;

  [[nodiscard]] Result<void> append(std::string_view rest, int depth, std::string& result) {
    if (depth > max_depth) return fail("values are put into one another more than 10 deep");
    while (!rest.empty()) {
      const size_t percent = std::min(rest.find('%'), rest.size());
      result.append(rest.substr(0, percent));
      if (result.size() > max_value) return fail("the value grows beyond 1 MiB");
      rest.remove_prefix(percent);
      if (rest.empty()) break;
      if (rest.starts_with("%%")) {
        result += '%';
        rest.remove_prefix(2);
        continue;
      }
      const size_t close = rest.find(')');
      if (!rest.starts_with("%(") || close == std::string_view::npos || close == 2 ||
          !rest.substr(close + 1).starts_with('s'))
        return fail("a % must be followed by % or (name)s, here is \"" + escape_controls(rest.substr(0, 20)) + "\"");
      const std::string name = lower(rest.substr(2, close - 2));
      rest.remove_prefix(close + 2);
      const auto value = lookup(name);
      if (!value)
        return fail("there is no option \"" + escape_controls(name) + "\" to put in for %(" + escape_controls(name) +
                    ")s");
      if (++replaced_ > 10'000) return fail("more than 10,000 values are put in");
      const auto done = append(*value, depth + 1, result);
      if (!done) return done;
    }
    return {};
  }

  [[nodiscard]] std::optional<std::string_view> lookup(const std::string& name) const {
    if (name == "__name__") return section_;
    if (const auto variable = variables_.find(name); variable != variables_.end()) return variable->second;
    if (const IniValue* value = config_.raw(section_, name)) return value->text;
    const auto parts = split_section_option(name);
    if (!parts) return std::nullopt;
    if (parts->section == "known") {
      const auto known = known_.find(section_);
      if (known != known_.end())
        if (const auto option = known->second.find(parts->option); option != known->second.end())
          return option->second.text;
    } else if (parts->section != "default") {
      for (const IniSection& section : config_.sections()) {
        if (lower(section.name) != parts->section) continue;
        if (const auto option = section.options.find(parts->option); option != section.options.end())
          return option->second.text;
      }
    }
    const auto fallback = config_.defaults().find(parts->option);
    if (fallback == config_.defaults().end()) return std::nullopt;
    return fallback->second.text;
  }

  const Config& config_;
  std::string_view section_;
  const Values& variables_;
  const std::map<std::string, IniOptions, std::less<>>& known_;
  int replaced_ = 0;
};

}  // namespace

bool Config::read(const std::string& directory, const std::string& name) {
  const std::string base = directory + "/" + name;
  std::vector<std::string> files{base + ".conf"};
  for (std::string& file : files_in(base + ".d", ".conf")) files.push_back(std::move(file));
  files.push_back(base + ".local");
  for (std::string& file : files_in(base + ".d", ".local")) files.push_back(std::move(file));
  std::erase_if(files, [](const std::string& file) { return !is_file(file); });
  read_files(files);
  return !files_.empty();
}

void Config::read_files(const std::vector<std::string>& files) {
  std::vector<std::string> order;
  std::vector<std::string> chain;
  for (const std::string& file : files) {
    collect(file, chain, order, true, "");
    const std::string local = local_of(file);
    if (std::ranges::find(files, local) == files.end() && is_file(local)) collect(local, chain, order, false, "");
  }
  if (order.size() > max_files) {
    complaints_.push_back(order.front() + ": more than 1,000 files are included; those after them are left out");
    order.resize(max_files);
  }
  for (const std::string& file : order)
    if (const IniFile* ini = load(file)) add(*ini, file);
}

const IniFile* Config::load(const std::string& file) {
  auto [entry, fresh] = loaded_.try_emplace(file);
  if (fresh) {
    if (const auto text = read_text(file)) {
      entry->second = read_ini(*text, file);
      for (const std::string& complaint : entry->second->complaints) complaints_.push_back(complaint);
    }
  }
  return entry->second ? &*entry->second : nullptr;
}

void Config::collect(const std::string& file, std::vector<std::string>& chain, std::vector<std::string>& order,
                     bool must_exist, const std::string& named_by) {
  if (order.size() > max_files) return;
  if (std::ranges::find(chain, file) != chain.end()) {
    complaints_.push_back(named_by + ": includes " + file + ", which includes it: the circle is cut here");
    return;
  }
  const IniFile* ini = load(file);
  if (ini == nullptr) {
    if (must_exist)
      complaints_.push_back((named_by.empty() ? "" : named_by + ": ") + file + " is missing or can't be read");
    return;
  }
  chain.push_back(file);
  collect_named(*ini, "before", file, chain, order);
  order.push_back(file);
  collect_named(*ini, "after", file, chain, order);
  chain.pop_back();
}

void Config::collect_named(const IniFile& ini, std::string_view option, const std::string& file,
                           std::vector<std::string>& chain, std::vector<std::string>& order) {
  const IniSection* includes = ini.section("INCLUDES");
  if (includes == nullptr) return;
  const auto value = includes->options.find(option);
  if (value == includes->options.end()) return;
  const std::string named_by = file + ":" + std::to_string(value->second.line);
  for (const std::string_view line : split_lines(value->second.text)) {
    if (strip(line).empty()) continue;
    const std::string name = (fs::path(file).parent_path() / fs::path(strip(line))).lexically_normal().string();
    // A .local is the admin's to write, or not.
    collect(name, chain, order, !name.ends_with(".local"), named_by);
    const std::string local = local_of(name);
    if (local != name && is_file(local)) collect(local, chain, order, false, named_by);
  }
}

IniSection* Config::find(std::string_view name) {
  for (IniSection& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

const IniSection* Config::section(std::string_view name) const {
  for (const IniSection& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

void Config::add(const IniFile& ini, const std::string& file) {
  files_.push_back(file);
  for (const IniSection& section : ini.sections) {
    if (section.name == "DEFAULT") {
      for (const auto& [name, value] : section.options) defaults_[name] = value;
    } else {
      merge_section(section);
    }
  }
}

void Config::merge_section(const IniSection& section) {
  // [Init?family=inet6]: its options go to [Init], each with the condition at its name.
  const size_t mark = section.name.find('?');
  const std::string name = section.name.substr(0, mark);
  const std::string condition = mark == std::string::npos ? "" : section.name.substr(mark);
  IniSection* ours = find(name);
  if (ours == nullptr) {
    sections_.push_back({name, {}, section.file, section.line});
    ours = &sections_.back();
  }
  for (const auto& [option, value] : section.options) {
    IniValue& slot = ours->options[option + condition];
    if (slot.line != 0) known_[name][option + condition] = slot;
    slot = value;
  }
}

void Config::set_default(std::string_view name, std::string_view text) {
  defaults_[std::string(name)] = {std::string(text), "", 0};
}

void Config::set_option(std::string_view section, std::string_view name, std::string_view text) {
  if (IniSection* ours = find(section)) ours->options[std::string(name)] = {std::string(text), "", 0};
}

const IniValue* Config::raw(std::string_view section_name, std::string_view name) const {
  if (const IniSection* ours = section(section_name))
    if (const auto option = ours->options.find(name); option != ours->options.end()) return &option->second;
  const auto fallback = defaults_.find(name);
  return fallback == defaults_.end() ? nullptr : &fallback->second;
}

Result<std::optional<std::string>> Config::get(std::string_view section, std::string_view name,
                                               const Values& variables) const {
  const std::string key = lower(name);
  const IniValue* value = raw(section, key);
  std::string_view text;
  if (const auto variable = variables.find(key); variable != variables.end()) {
    text = variable->second;
  } else if (value != nullptr) {
    text = value->text;
  } else {
    return std::optional<std::string>();
  }
  auto expanded = Interpolation(*this, section, variables, known_).expand(text);
  if (expanded) return std::optional(std::move(*expanded));
  const std::string where =
      value == nullptr || value->file.empty() ? "" : value->file + ":" + std::to_string(value->line) + ": ";
  return fail(where + "option \"" + escape_controls(key) + "\" of [" + escape_controls(section) +
              "]: " + expanded.error().text);
}

Result<std::optional<std::string>> Config::get_anywhere(std::string_view section, std::string_view name,
                                                        const Values& variables) const {
  const auto parts = split_section_option(name);
  if (!parts) return get(section, name, variables);
  const std::string first = lower(parts->section);
  if (first == "known") {
    const auto known = known_.find(section);
    if (known != known_.end())
      if (const auto option = known->second.find(lower(parts->option)); option != known->second.end()) {
        auto expanded = Interpolation(*this, section, variables, known_).expand(option->second.text);
        if (!expanded) return std::unexpected(expanded.error());
        return std::optional(std::move(*expanded));
      }
    if (raw(section, lower(parts->option)) != nullptr) return get(section, parts->option);
  } else if (first == "default" || this->section(parts->section) != nullptr) {
    auto found = get(first == "default" ? "DEFAULT" : parts->section, parts->option);
    if (!found || *found) return found;
  }
  return get(section, name, variables);
}

}  // namespace palang::f2b
