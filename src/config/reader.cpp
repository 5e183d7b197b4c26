#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/text.hpp"
#include "config/fields.hpp"
#include "config/firewall_check.hpp"
#include "config/schema.hpp"
#include "model/toml_tree.hpp"

namespace palang {
namespace {

const Key* find_key(std::string_view path) {
  const auto found = std::ranges::find(config_keys(), path, &Key::path);
  return found == config_keys().end() ? nullptr : &*found;
}

const Section* find_section(std::string_view path) {
  const auto found = std::ranges::find(config_sections(), path, &Section::path);
  return found == config_sections().end() ? nullptr : &*found;
}

template <typename Items>
std::vector<std::string_view> paths_of(const Items& items) {
  std::vector<std::string_view> paths;
  for (const auto& item : items) paths.push_back(item.path);
  return paths;
}

// "no such key; did you mean ban.for?" The nearest by its full name, else one of the same name in another section.
std::string no_such_key(std::string_view path) {
  if (path == "rule" || path == "override")
    return "rules are not written here but in files of a directory that rules.directories names: "
           "/etc/palang/rules.d/mine.toml";
  std::string_view near = nearest(path, paths_of(config_keys()));
  if (near.empty()) {
    const auto same_leaf = [&](const Key& key) { return leaf_of(key.path) == leaf_of(path); };
    const auto found = std::ranges::find_if(config_keys(), same_leaf);
    if (found != config_keys().end()) near = found->path;
  }
  return near.empty() ? "no such key" : fmt::format("no such key; did you mean {}?", near);
}

std::string no_such_section(std::string_view path) {
  const std::string_view near = nearest(path, paths_of(config_sections()));
  return near.empty() ? "no such section" : fmt::format("no such section; did you mean [{}]?", near);
}

class ConfigReader {
 public:
  [[nodiscard]] Result<Config> read(const TomlTable& top, std::string_view file_name) {
    read_profile(top);
    read_table(top, "");
    check_ban();
    check_ledger();
    check_sources();
    if (config_.firewall) check_firewall(*config_.firewall, complaints_);
    for (const AllowSettings& allowed : config_.allow) config_.policy.allow.push_back(allowed.prefix);
    name_profile();
    if (complaints_.empty()) return std::move(config_);
    return Failure(Error::bad_config(complaints_.text(file_name)));
  }

 private:
  // Before all other keys, which override it, wherever it stands.
  void read_profile(const TomlTable& top) {
    const auto found = std::ranges::find(top, "profile", &TomlEntry::key);
    if (found == top.end()) return;
    lines_["profile"] = found->line;
    read_field(*find_key("profile"), found->value, config_, complaints_);
  }

  void read_table(const TomlTable& table, const std::string& section) {
    for (const TomlEntry& entry : table) {
      const std::string path = section.empty() ? entry.key : section + "." + entry.key;
      if (path == "profile") continue;
      // In TOML "ban.for", quoted as a whole, is another key than ban.for.
      const bool plain = !entry.key.empty() && entry.key.find('.') == std::string::npos;
      const Key* key = plain ? find_key(path) : nullptr;
      const Section* known = plain ? find_section(path) : nullptr;
      if (key != nullptr) {
        lines_[path] = entry.line;
        read_field(*key, entry.value, config_, complaints_);
      } else if (known != nullptr) {
        read_section(*known, entry);
      } else {
        const bool is_table = std::holds_alternative<TomlTable>(entry.value.content);
        if (!plain)
          complaints_.add(entry.line, path, "no such key; write names without quotes, as in ban.for or below [ban]");
        else
          complaints_.add(entry.line, path, is_table ? no_such_section(path) : no_such_key(path));
      }
    }
  }

  void read_section(const Section& section, const TomlEntry& entry) {
    const std::string path(section.path);
    if (path == "firewall") config_.firewall.emplace().written.line = entry.line;
    if (section.repeated) return read_repeated(path, entry);
    if (const auto* table = std::get_if<TomlTable>(&entry.value.content)) return read_table(*table, path);
    complaints_.add(entry.line, path, fmt::format("is a section: write [{}] and its keys below", path));
  }

  void read_repeated(const std::string& path, const TomlEntry& entry) {
    const auto* list = std::get_if<TomlValue::List>(&entry.value.content);
    if (list == nullptr)
      return complaints_.add(entry.line, path, fmt::format("write [[{}]], in double brackets", path));
    for (const TomlValue& element : *list) {
      const auto* table = std::get_if<TomlTable>(&element.content);
      if (table == nullptr) {
        complaints_.add(element.line, path, fmt::format("write [[{}]] and its keys below", path));
        continue;
      }
      if (path == "source") {
        read_source(*table, path, element.line);
      } else {
        begin_firewall_part(path, element.line, *config_.firewall);
        read_table(*table, path);
      }
    }
  }

  void read_source(const TomlTable& table, const std::string& path, uint32_t line) {
    const auto has = [&](std::string_view key) {
      return std::ranges::find(table, key, &TomlEntry::key) != table.end();
    };
    config_.sources.emplace_back();
    source_lines_.push_back(line);
    const size_t complaints = complaints_.size();
    read_table(table, path);
    if (complaints_.size() != complaints) return;
    if (!has("type"))
      return complaints_.add(line, "source.type", R"(is missing: "file", "journald", "kmsg" or "nflog")");
    const auto type = config_.sources.back().type;
    if (type == SourceSettings::Type::file && !has("path"))
      complaints_.add(line, "source.path", "is missing: the log file's path");
    if (type == SourceSettings::Type::nflog && !has("group"))
      complaints_.add(line, "source.group", "is missing: the number in the firewall's rule");
    if (type != SourceSettings::Type::nflog && has("group"))
      complaints_.add(line, "source.group", "is only for type = \"nflog\"");
  }

  // The line to blame: where the key stands, else where the profile does that gave it its value.
  [[nodiscard]] uint32_t line_of(std::string_view path) const {
    const auto found = lines_.find(path);
    if (found != lines_.end()) return found->second;
    const auto profile = lines_.find("profile");
    return profile == lines_.end() ? 0 : profile->second;
  }

  // `shorter` must not exceed `longer`; the complaint stands where either was written.
  void check_order(std::string_view shorter, Duration length, std::string_view longer, Duration limit) {
    if (length <= limit) return;
    const bool blame_shorter = lines_.contains(shorter) || !lines_.contains(longer);
    const auto origin = [&](std::string_view path) {
      return lines_.contains(path) ? "" : fmt::format(" of profile \"{}\"", config_.profile);
    };
    if (blame_shorter)
      complaints_.add(line_of(shorter), shorter,
                      fmt::format("{} is longer than {} ({}{})", format_duration(length), longer,
                                  format_duration(limit), origin(longer)));
    else
      complaints_.add(line_of(longer), longer,
                      fmt::format("{} is shorter than {} ({}{})", format_duration(limit), shorter,
                                  format_duration(length), origin(shorter)));
  }

  void check_ban() {
    const BanSettings& ban = config_.policy.ban;
    check_order("ban.for", ban.first, "ban.at_most", ban.at_most);
    check_order("ban.quiet", ban.quiet, "ban.at_most", ban.at_most);
  }

  // Doubling and widening after a restart rest on what the ledger still knows.
  void check_ledger() {
    const BanSettings& ban = config_.policy.ban;
    check_order("ban.remember", ban.remember, "ledger.keep", config_.ledger.keep);
    check_order("ban.widen.within", ban.widen.within, "ledger.keep", config_.ledger.keep);
  }

  void check_sources() {
    using Type = SourceSettings::Type;
    std::set<Type> seen;
    std::set<std::filesystem::path> paths;
    std::set<uint32_t> groups;
    for (size_t i = 0; i < config_.sources.size(); ++i) {
      const SourceSettings& source = config_.sources[i];
      const uint32_t line = source_lines_[i];
      if (source.type == Type::file) {
        const auto path = std::filesystem::path(source.path).lexically_normal();
        if (!path.empty() && !paths.insert(path).second)
          complaints_.add(line, "source", fmt::format("{} is a source already", source.path));
        continue;
      }
      if (!source.path.empty()) complaints_.add(line, "source.path", "is only for type = \"file\"");
      if (source.type == Type::nflog) {
        if (!groups.insert(source.group).second)
          complaints_.add(line, "source", fmt::format("NFLOG group {} is a source already", source.group));
        continue;
      }
      if (!seen.insert(source.type).second) complaints_.add(line, "source", "is a source already");
    }
  }

  // "custom" as soon as a key departs from what the profile says about who is banned, and how.
  void name_profile() {
    BanSettings pure = config_.profile == "classic" ? classic_profile() : default_profile();
    pure.budget = config_.policy.ban.budget;
    DetectSettings detect;
    detect.tracked_sources = config_.policy.detect.tracked_sources;
    if (pure != config_.policy.ban || detect != config_.policy.detect) config_.profile = "custom";
  }

  Config config_;
  Complaints complaints_;
  std::map<std::string, uint32_t, std::less<>> lines_;  // of the keys that were given
  std::vector<uint32_t> source_lines_;                  // of config_.sources
};

}  // namespace

Result<Config> read_config(std::string_view text, std::string_view file_name) {
  const auto top = parse_toml(text, file_name);
  if (!top) return Failure(top.error());
  return ConfigReader().read(*top, file_name);
}

}  // namespace palang
