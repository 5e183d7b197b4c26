#include "rules/f2b_definition.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "rules/f2b_tags.hpp"

namespace palang::f2b {

namespace {

std::vector<std::string> lines_of(std::string_view value) {
  std::vector<std::string> lines;
  for (const std::string_view line : split_lines(value))
    if (!line.empty()) lines.emplace_back(line);
  return lines;
}

void set_maxlines(Definition& definition, std::string_view value) {
  const std::string_view digits = strip(value);
  uint32_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  // Each line is searched together with those before it: with more, a line could cost more than it may.
  constexpr uint32_t most = 100;
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || number == 0) {
    definition.complaints.push_back("maxlines = \"" + escape_controls(digits) + "\" is no number above 0; 1 is used");
  } else if (number > most) {
    definition.complaints.push_back("maxlines = " + std::to_string(number) + ": at most 100 lines are kept");
    definition.maxlines = most;
  } else {
    definition.maxlines = number;
  }
}

void set_field(Definition& definition, std::string_view name, const std::string& value) {
  if (name == "prefregex") definition.prefregex = value;
  if (name == "maxlines") set_maxlines(definition, value);
  if (name == "usedns") definition.usedns = lower(strip(value));
  if (name == "logtimezone") definition.logtimezone = strip(value);
  if (name == "journalmatch") definition.journalmatch = lines_of(value);
  if (name == "datepattern") {
    definition.datepattern.clear();
    for (const std::string_view line : split_lines(value))
      if (!strip(line).empty()) definition.datepattern.emplace_back(strip(line));
  }
  const auto add = [&](std::vector<std::string>& patterns) {
    for (std::string& line : lines_of(value)) patterns.push_back(std::move(line));
  };
  if (name == "failregex") add(definition.failregex);
  if (name == "ignoreregex") add(definition.ignoreregex);
}

// A filter may have options of any name, for others to refer to; one that nothing refers to, and that looks like one
// that means something, is misspelt.
void find_misspelt(const Config& config, std::vector<std::string>& complaints) {
  const auto is_referred_to = [&](const std::string& name) {
    return std::ranges::any_of(config.sections(), [&](const IniSection& section) {
      return std::ranges::any_of(section.options, [&](const auto& option) {
        const std::string text = lower(option.second.text);
        return text.find("%(" + name + ")s") != std::string::npos || text.find("<" + name + ">") != std::string::npos;
      });
    });
  };
  for (const auto& [name, option] : config.section("Definition")->options) {
    if (name.starts_with("known/") || is_filter_option(name) || is_referred_to(name)) continue;
    const std::string_view near = nearest(name, filter_options);
    if (near.empty()) continue;
    complaints.push_back(option.file + ":" + std::to_string(option.line) + ": [Definition] has \"" +
                         escape_controls(name) + "\", which nothing uses; did you mean \"" + std::string(near) + "\"?");
  }
}

Values lower_names(const Values& values) {
  Values result;
  for (const auto& [name, value] : values) result[lower(name)] = value;
  return result;
}

}  // namespace

bool is_filter_option(std::string_view name) {
  return std::ranges::find(filter_options, name) != filter_options.end();
}

Result<FilterFile> FilterFile::read(const std::string& directory, const std::string& name) {
  if (name.find("..") != std::string::npos)
    return fail("the name of the filter \"" + escape_controls(name) + "\" leads out of filter.d");
  Config config;
  if (!config.read(directory, "filter.d/" + name)) {
    return fail("the filter " + escape_controls(name) + ": there is no " + directory + "/filter.d/" +
                escape_controls(name) + ".conf");
  }
  return from(name, std::move(config));
}

Result<FilterFile> FilterFile::from(const std::string& name, Config config) {
  if (config.section("Definition") == nullptr)
    return fail((config.files().empty() ? name : config.files().back()) + ": the filter has no section [Definition]");
  FilterFile file;
  file.name_ = name;
  file.config_ = std::move(config);
  return file;
}

bool FilterFile::says_logtype() const {
  return config_.section("Definition")->options.contains("logtype");
}

Result<Values> FilterFile::combine(const Values& jail, const Values& options, bool all) const {
  Values given = lower_names(jail);
  for (const auto& [name, value] : options) given[lower(name)] = value;

  Values combined;
  for (const std::string_view name : filter_options) {
    if (given.contains(name)) continue;
    auto value = config_.get("Definition", name, given);
    if (!value) return std::unexpected(value.error());
    if (*value) combined[std::string(name)] = **value;
  }
  if (all) {
    for (const auto& [name, value] : config_.section("Definition")->options) {
      if (combined.contains(name)) continue;
      auto expanded = config_.get("Definition", name);
      if (!expanded) return std::unexpected(expanded.error());
      combined[name] = **expanded;
    }
  }
  Values initial = options;
  if (const IniSection* init = config_.section("Init")) {
    for (const auto& [name, value] : init->options) {
      auto expanded = config_.get("Init", name);
      if (!expanded) return std::unexpected(expanded.error());
      if (!name.starts_with("known/")) initial["known/" + name] = **expanded;
      initial.try_emplace(name, **expanded);
    }
  }
  for (const auto& [name, value] : initial) combined[name] = value;

  std::set<std::string, std::less<>> ignored;
  for (const auto& [name, value] : combined)
    if (const size_t mark = name.find('?'); mark != std::string::npos) ignored.insert(name.substr(0, mark));
  const TagSource others = [&](const std::string& tag) -> std::optional<std::string> {
    auto value = config_.get_anywhere("Definition", tag, given);
    return value ? std::move(*value) : std::nullopt;
  };
  auto substituted = substitute_tags(std::move(combined), ignored, others);
  if (!substituted) return fail(config_.files().back() + ": " + substituted.error().text);
  return substituted;
}

Definition FilterFile::define(const Values& combined, const Values& jail) const {
  Definition definition;
  definition.name = name_;
  definition.files = config_.files();
  definition.complaints = config_.complaints();
  if (auto line = config_.get("Definition", "__prefix_line", combined); line && *line) {
    const TagSource others = [&](const std::string& tag) -> std::optional<std::string> {
      auto value = config_.get_anywhere("Definition", tag, combined);
      return value ? std::move(*value) : std::nullopt;
    };
    Values with_line = combined;
    with_line["__prefix_line"] = **line;
    if (auto expanded = substitute_tags(std::move(with_line), {}, others))
      definition.prefix_line = (*expanded)["__prefix_line"];
  }
  for (const std::string_view option : filter_options)
    if (const IniValue* written = config_.raw("Definition", option); written != nullptr && !written->file.empty())
      definition.places[std::string(option)] = written->file + ":" + std::to_string(written->line);
  find_misspelt(config_, definition.complaints);
  for (const auto& [name, value] : combined) set_field(definition, name, value);
  for (const auto& [name, value] : jail) set_field(definition, name, value);
  return definition;
}

}  // namespace palang::f2b
