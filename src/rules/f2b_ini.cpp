#include "rules/f2b_ini.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace palang::f2b {

namespace {

bool is_blank(char byte) {
  return blanks.find(byte) != std::string_view::npos;
}

// Where a comment begins: at a ';' that is first or follows a blank; with # and ; at the start, the whole line is one.
std::optional<size_t> comment_start(std::string_view line) {
  const size_t first = line.find_first_not_of(blanks);
  if (first != std::string_view::npos && (line[first] == '#' || line[first] == ';')) return 0;
  for (size_t at = line.find(';'); at != std::string_view::npos; at = line.find(';', at + 1))
    if (at == 0 || is_blank(line[at - 1])) return at;
  return std::nullopt;
}

class IniReader {
 public:
  explicit IniReader(const std::string& file) : file_(file) {}

  void take_line(std::string_view line) {
    ++number_;
    const auto comment = comment_start(line);
    const std::string_view value = strip(line.substr(0, comment.value_or(line.size())));
    if (value.empty()) {
      // An empty line belongs to the value before it, one with nothing but a comment doesn't.
      if (!comment && option_ != nullptr) option_->text += '\n';
      return;
    }
    const size_t indent = std::min(line.find_first_not_of(blanks), line.size());
    if (option_ != nullptr && indent > indent_) {
      option_->text.append("\n").append(value);
      return;
    }
    indent_ = indent;
    finish_option();
    if (value.front() == '[' && value.find(']', 2) != std::string_view::npos) {
      open_section(value.substr(1, value.rfind(']') - 1));
    } else {
      take_option(value);
    }
  }

  IniFile finish() {
    finish_option();
    return std::move(result_);
  }

 private:
  void complain(const std::string& sentence) {
    constexpr size_t enough = 100;
    if (result_.complaints.size() < enough)
      result_.complaints.push_back(file_ + ":" + std::to_string(number_) + ": " + sentence);
  }

  void finish_option() {
    if (option_ == nullptr) return;
    std::string& text = option_->text;
    text.erase(text.find_last_not_of(blanks) + 1);
    option_ = nullptr;
  }

  void open_section(std::string_view name) {
    const auto same = [&](const IniSection& section) { return section.name == name; };
    const auto found = std::ranges::find_if(result_.sections, same);
    if (found == result_.sections.end()) {
      result_.sections.push_back({std::string(name), {}, file_, number_});
      section_ = result_.sections.size() - 1;
      return;
    }
    section_ = static_cast<size_t>(found - result_.sections.begin());
    if (name != "DEFAULT")
      complain("section [" + escape_controls(name) + "] is here a second time; what it says is added to the first");
  }

  void take_option(std::string_view line) {
    if (!section_) {
      complain("\"" + escape_controls(line.substr(0, 60)) + "\" stands before any [section] and is left out");
      return;
    }
    const size_t delimiter = line.find_first_of("=:");
    const std::string name = lower(strip(line.substr(0, std::min(delimiter, line.size()))));
    if (delimiter == std::string_view::npos || name.empty()) {
      complain("\"" + escape_controls(line.substr(0, 60)) + "\" is no \"name = value\" and is left out");
      return;
    }
    IniOptions& options = result_.sections[*section_].options;
    if (options.contains(name)) complain("option \"" + escape_controls(name) + "\" is here a second time; it counts");
    IniValue& value = options[name];
    value = {std::string(strip(line.substr(delimiter + 1))), file_, number_};
    option_ = &value;  // nodes of a map stay where they are
  }

  const std::string& file_;
  IniFile result_;
  uint32_t number_ = 0;
  std::optional<size_t> section_;
  IniValue* option_ = nullptr;
  size_t indent_ = 0;
};

}  // namespace

const IniSection* IniFile::section(std::string_view name) const {
  for (const IniSection& candidate : sections)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  return result;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string_view strip(std::string_view text) {
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

IniFile read_ini(std::string_view text, const std::string& file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  IniReader reader(file);
  for (const std::string_view line : split_lines(text)) reader.take_line(line);
  return reader.finish();
}

}  // namespace palang::f2b
