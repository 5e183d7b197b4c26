#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "rules/f2b_ini.hpp"

namespace palang::f2b {

using Values = std::map<std::string, std::string, std::less<>>;

// Several files as one: what their [INCLUDES] name before and after them, the .local beside each, later ones over
// earlier ones. Conditional sections [Init?family=inet6] are kept as options "name?family=inet6" of [Init].
class Config {
 public:
  // "filter.d/sshd" under `directory`: sshd.conf, sshd.d/*.conf, sshd.local, sshd.d/*.local; false if there is none.
  bool read(const std::string& directory, const std::string& name);
  void read_files(const std::vector<std::string>& files);
  // A file that was read already; what it includes is not looked for.
  void add(const IniFile& ini, const std::string& file);

  // Sentences with file and line; what they are about was left out.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

  [[nodiscard]] const std::vector<IniSection>& sections() const { return sections_; }
  [[nodiscard]] const IniSection* section(std::string_view name) const;
  [[nodiscard]] const IniOptions& defaults() const { return defaults_; }
  void set_default(std::string_view name, std::string_view text);
  void set_option(std::string_view section, std::string_view name, std::string_view text);

  // As it stands in the section, else in [DEFAULT].
  [[nodiscard]] const IniValue* raw(std::string_view section, std::string_view name) const;
  // With %(x)s replaced, looked up in `variables`, then in the section, then in [DEFAULT]; nothing if there is no such
  // option. Also %(known/x)s (what the files before said) and %(section/x)s.
  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view section, std::string_view name,
                                                       const Values& variables = {}) const;
  // As get(), but a name like "section/name" is one of that section.
  [[nodiscard]] Result<std::optional<std::string>> get_anywhere(std::string_view section, std::string_view name,
                                                                const Values& variables) const;

 private:
  void collect(const std::string& file, std::vector<std::string>& chain, std::vector<std::string>& order,
               bool must_exist, const std::string& named_by);
  void collect_named(const IniFile& ini, std::string_view option, const std::string& file,
                     std::vector<std::string>& chain, std::vector<std::string>& order);
  void merge_section(const IniSection& section);
  [[nodiscard]] IniSection* find(std::string_view name);
  [[nodiscard]] const IniFile* load(const std::string& file);

  std::map<std::string, std::optional<IniFile>> loaded_;
  std::vector<IniSection> sections_;
  std::map<std::string, IniOptions, std::less<>> known_;  // by section: values that later files have replaced
  IniOptions defaults_;
  std::vector<std::string> complaints_;
  std::vector<std::string> files_;
};

// The values of options may grow to this by what is put in for %(x)s and <x>; a filter is a few KiB.
inline constexpr size_t max_value = size_t{1024} * 1024;  // bytes

}  // namespace palang::f2b
