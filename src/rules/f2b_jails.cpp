#include "rules/f2b_jails.hpp"

#include <glob.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/text.hpp"
#include "rules/f2b_jail_ignore.hpp"

namespace palang::f2b {

namespace {

// What a jail may say. Other options are only there to be put in elsewhere.
constexpr std::array<std::string_view, 28> jail_options = {"enabled",
                                                           "backend",
                                                           "maxretry",
                                                           "maxmatches",
                                                           "findtime",
                                                           "bantime",
                                                           "bantime.increment",
                                                           "bantime.factor",
                                                           "bantime.formula",
                                                           "bantime.multipliers",
                                                           "bantime.maxtime",
                                                           "bantime.rndtime",
                                                           "bantime.overalljails",
                                                           "ignorecommand",
                                                           "ignoreself",
                                                           "ignoreip",
                                                           "ignorecache",
                                                           "filter",
                                                           "logtimezone",
                                                           "logencoding",
                                                           "logpath",
                                                           "action",
                                                           "port",
                                                           "protocol",
                                                           "chain",
                                                           "banaction",
                                                           "banaction_allports",
                                                           "mode"};

bool is_true(std::string_view text) {
  const std::string word = lower(strip(text));
  return word == "1" || word == "on" || word == "true" || word == "yes";
}

size_t count_files(const std::string& pattern) {
  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  const size_t count = status == 0 ? found.gl_pathc : 0;
  globfree(&found);
  return count;
}

// Reads one section of the jails' configuration.
class JailReader {
 public:
  JailReader(Config config, std::string directory, const IniSection& section)
      : config_(std::move(config)), directory_(std::move(directory)), section_(section) {}

  // Nothing if the jail is not enabled.
  [[nodiscard]] std::optional<Jail> read() {
    jail_.name = section_.name;
    jail_.file = section_.file;
    jail_.line = section_.line;
    const auto enabled = value("enabled");
    if (enabled && !is_true(enabled->value_or("false"))) return std::nullopt;
    if (!enabled) {
      fail_jail(enabled.error().text);
    } else if (const auto done = read_enabled(); !done) {
      fail_jail(done.error().text);
    }
    return std::move(jail_);
  }

 private:
  using Text = Result<std::optional<std::string>>;

  void fail_jail(const std::string& why) { jail_.problem = why; }

  [[nodiscard]] Text value(std::string_view name) const { return config_.get(jail_.name, name); }

  // "jail.local:7: maxretry"
  [[nodiscard]] std::string place(std::string_view name) const {
    const IniValue* raw = config_.raw(jail_.name, name);
    const std::string where =
        raw == nullptr || raw->file.empty() ? "" : raw->file + ":" + std::to_string(raw->line) + ": ";
    return where + std::string(name);
  }

  [[nodiscard]] Result<void> read_enabled() {
    const auto backend = value("backend");
    if (!backend) return std::unexpected(backend.error());
    jail_.backend = lower(strip(backend->value_or("auto")));
    jail_.journal = jail_.backend.starts_with("systemd");
    if (auto done = read_filter(); !done) return done;
    for (const std::string_view name : jail_options)
      if (auto done = read_option(name); !done) return done;
    find_unknown();
    // Whom the command spares would be banned without it.
    if (!jail_.ignore_command.empty())
      return fail(place("ignorecommand") + " isn't run by palang, and without it the jail would ban whom it spares");
    if (!jail_.journal && jail_.logs.empty())
      return fail(place("logpath") + ": the jail reads files, but has no logpath");
    return {};
  }

  [[nodiscard]] Result<void> read_filter() {
    const auto text = value("filter");
    if (!text) return std::unexpected(text.error());
    if (!*text || strip(**text).empty()) return fail(place("filter") + ": the jail has no filter");
    auto reference = read_reference(strip(**text));
    if (!reference) return fail(place("filter") + ": " + reference.error().text);
    auto file = FilterFile::read(directory_, reference->name);
    if (!file) return fail(place("filter") + ": " + file.error().text);
    if (!reference->options.contains("logtype") && !file->says_logtype())
      reference->options["logtype"] = jail_.journal ? "journal" : "file";

    // What the filter says is known to the jail as %(known/…)s, so that the jail can add to it.
    Values first;
    for (const std::string_view name : {"enabled", "backend", "filter"})
      if (const auto given = value(name); given && *given) first[std::string(name)] = **given;
    auto known = file->combine(first, reference->options, true);
    if (!known) return std::unexpected(known.error());
    for (const auto& [name, known_value] : *known)
      if (!name.starts_with("known/")) config_.set_option(jail_.name, "known/" + name, known_value);

    Values own;
    Values filter_values;
    for (const std::string& name : option_names()) {
      const auto given = value(name);
      // Actions may need what only fail2ban has; they aren't carried over anyway.
      if (!given && (name == "action" || name.starts_with("banaction"))) continue;
      if (!given) return std::unexpected(given.error());
      if (!*given) continue;
      own[name] = **given;
      if (is_filter_option(name) || name == "logtimezone") filter_values[name] = **given;
    }
    auto combined = file->combine(own, reference->options, false);
    if (!combined) return std::unexpected(combined.error());
    jail_.definition = file->define(*combined, filter_values);
    for (const auto& [name, value] : filter_values)
      if (const IniValue* raw = config_.raw(jail_.name, name); raw != nullptr && !raw->file.empty())
        jail_.definition.places[name] = raw->file + ":" + std::to_string(raw->line);
    jail_.filter = std::move(*reference);
    return {};
  }

  // Those of jails and of filters.
  [[nodiscard]] static std::vector<std::string> option_names() {
    std::vector<std::string> names(jail_options.begin(), jail_options.end());
    for (const std::string_view name : filter_options) names.emplace_back(name);
    return names;
  }

  [[nodiscard]] Result<void> read_option(std::string_view name) {
    const auto text = value(name);
    if (!text) {
      if (name == "action" || name.starts_with("banaction") || name == "chain") {
        jail_.complaints.push_back(text.error().text);
        return {};
      }
      return std::unexpected(text.error());
    }
    if (*text) set(name, **text);
    return {};
  }

  void set(std::string_view name, const std::string& text) {
    BanIncrement& increment = jail_.increment;
    if (name == "maxretry") set_retry(text);
    if (name == "findtime") set_time(name, text, jail_.find_time);
    if (name == "bantime") set_ban_time(text);
    if (name == "bantime.increment") increment.enabled = is_true(text);
    if (name == "bantime.factor") set_factors(name, text, [&](double factor) { increment.factor = factor; });
    if (name == "bantime.multipliers")
      set_factors(name, text, [&](double factor) { increment.multipliers.push_back(factor); });
    if (name == "bantime.formula") increment.formula = strip(text);
    if (name == "bantime.rndtime") set_time(name, text, increment.random);
    if (name == "bantime.overalljails") increment.over_all_jails = is_true(text);
    if (name == "bantime.maxtime") {
      Duration most{};
      set_time(name, text, most);
      if (most > Duration{}) increment.at_most = most;
    }
    if (name == "ignoreself") jail_.ignore_self = is_true(text);
    if (name == "ignorecommand") jail_.ignore_command = strip(text);
    if (name == "ignoreip") read_ignored(text, place(name), jail_);
    if (name == "logpath") set_logs(text);
    if (name == "port") jail_.port = strip(text);
    if (name == "protocol") jail_.protocol = strip(text);
    if (name == "action") set_actions(text);
  }

  void set_retry(std::string_view text) {
    const std::string_view digits = strip(text);
    uint32_t number = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || number == 0) {
      jail_.complaints.push_back(place("maxretry") + " = \"" + escape_controls(digits) + "\" is no number above 0; " +
                                 std::to_string(jail_.max_retry) + " is used");
    } else {
      jail_.max_retry = number;
    }
  }

  void set_time(std::string_view name, std::string_view text, Duration& target) {
    if (strip(text).empty()) return;
    const auto time = read_time(text);
    if (time) {
      target = *time;
    } else {
      jail_.complaints.push_back(place(name) + " = \"" + escape_controls(strip(text)) + "\" is no time; " +
                                 format_duration(target) + " is used");
    }
  }

  void set_ban_time(std::string_view text) {
    Duration time = *jail_.ban_time;
    set_time("bantime", text, time);
    jail_.ban_time = time < Duration{} ? std::nullopt : std::optional(time);
  }

  template <typename Take>
  void set_factors(std::string_view name, std::string_view text, const Take& take) {
    for (const std::string& word : split_references(text)) {
      double factor = 0;
      const auto read = std::from_chars(word.data(), word.data() + word.size(), factor);
      if (read.ec == std::errc{} && read.ptr == word.data() + word.size() && factor > 0) {
        take(factor);
      } else {
        jail_.complaints.push_back(place(name) + ": \"" + escape_controls(word) + "\" is no number above 0");
      }
    }
  }

  void set_logs(std::string_view text) {
    for (const std::string_view line : split_lines(text)) {
      std::string_view path = strip(line);
      if (path.empty()) continue;
      JailLog log;
      for (const std::string_view word : {" tail", " head"}) {
        if (!path.ends_with(word)) continue;
        log.from_end = word == " tail";
        path = strip(path.substr(0, path.size() - word.size()));
      }
      log.pattern = path;
      log.files = count_files(log.pattern);
      jail_.logs.push_back(std::move(log));
    }
  }

  void set_actions(std::string_view text) {
    for (const std::string& word : split_references(text)) {
      auto action = read_reference(word);
      if (action) {
        jail_.actions.push_back(std::move(*action));
      } else {
        jail_.complaints.push_back(place("action") + ": " + action.error().text);
      }
    }
  }

  // Options of the jail that nothing reads: misspelt ones, mostly.
  void find_unknown() {
    for (const auto& [name, option] : section_.options) {
      if (name.starts_with("known/") || is_filter_option(name) || name.starts_with("action_") ||
          std::ranges::find(jail_options, name) != jail_options.end() || is_referred_to(name))
        continue;
      std::string sentence = option.file + ":" + std::to_string(option.line) + ": [" + escape_controls(jail_.name) +
                             "] has no option \"" + escape_controls(name) + "\"";
      const std::string_view near = nearest(name, jail_options);
      if (!near.empty()) sentence += "; did you mean \"" + std::string(near) + "\"?";
      jail_.complaints.push_back(std::move(sentence));
    }
  }

  [[nodiscard]] bool is_referred_to(const std::string& name) const {
    const std::string by_percent = "%(" + name + ")s";
    const std::string by_tag = "<" + name + ">";
    const auto refers = [&](const auto& option) {
      const std::string text = lower(option.second.text);
      return text.find(by_percent) != std::string::npos || text.find(by_tag) != std::string::npos;
    };
    return std::ranges::any_of(section_.options, refers) || std::ranges::any_of(config_.defaults(), refers);
  }

  Config config_;
  std::string directory_;
  const IniSection& section_;
  Jail jail_;
};

}  // namespace

Result<Jails> read_jails(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    return fail("read the jails of fail2ban: there is no directory " + directory);
  Config config;
  if (!config.read(directory, "jail"))
    return fail("read the jails of fail2ban: there is no " + directory + "/jail.conf");
  config.set_default("fail2ban_version", "1.0.2");
  config.set_default("fail2ban_confpath", directory);
  Jails jails;
  jails.complaints = config.complaints();
  for (const IniSection& section : config.sections()) {
    if (section.name == "INCLUDES" || section.name == "Definition" || section.name == "Init") continue;
    auto jail = JailReader(config, directory, section).read();
    if (jail) {
      jails.enabled.push_back(std::move(*jail));
    } else {
      jails.disabled.push_back(section.name);
    }
  }
  return jails;
}

}  // namespace palang::f2b
