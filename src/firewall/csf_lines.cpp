#include "firewall/csf_lines.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace palang::foreign::csf {

namespace {

constexpr size_t longest_line = 4'096;  // bytes
constexpr int deepest_include = 8;
constexpr size_t most_includes = 100;
constexpr size_t most_lines = 2'000'000;

class LineCollector {
 public:
  LineCollector(const ReadFile& read, ImportReport& report) : read_(read), report_(report) {}

  void add_file(const std::string& path, const Place& named_by, int depth) {
    const Result<std::string> text = read_(path);
    if (!text) {
      const bool missing = text.error().kind == ErrorKind::not_found;
      if (!named_by.file.empty())
        report_.fault(named_by, "Include " + path, missing ? "there is no such file" : text.error().text);
      else if (!missing)
        report_.fault({path, 0}, "", text.error().text);
      return;
    }
    uint32_t number = 0;
    for (std::string_view rest = *text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      add_line(trim(rest.substr(0, end)), {path, ++number}, depth);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  [[nodiscard]] std::vector<Line> take() { return std::move(lines_); }

 private:
  void add_line(std::string_view text, Place place, int depth) {
    if (text.empty() || text.front() == '#') return;
    if (text.size() > longest_line || text.find('\0') != std::string_view::npos) {
      report_.fault(std::move(place), std::string(text.substr(0, 60)), "this is no line of a list");
      return;
    }
    if (lines_.size() >= most_lines) return;
    if (text.starts_with("Include") && text.size() > 7 && (text[7] == ' ' || text[7] == '\t')) {
      include(std::string(trim(text.substr(8))), place, depth);
      return;
    }
    const size_t hash = std::min(text.find('#'), text.size());
    const std::string_view comment = hash < text.size() ? trim(text.substr(hash + 1)) : std::string_view{};
    lines_.push_back({std::move(place), std::string(trim(text.substr(0, hash))), std::string(comment)});
  }

  void include(const std::string& path, const Place& place, int depth) {
    if (!path.starts_with('/')) {
      report_.fault(place, "Include " + path, "the path must be absolute");
    } else if (depth >= deepest_include || ++includes_ > most_includes) {
      report_.fault(place, "Include " + path, "too many files include one another");
    } else {
      add_file(path, place, depth + 1);
    }
  }

  const ReadFile& read_;
  ImportReport& report_;
  std::vector<Line> lines_;
  size_t includes_ = 0;
};

}  // namespace

std::vector<Line> read_lines(const std::string& path, const ReadFile& read, ImportReport& report) {
  LineCollector collector(read, report);
  collector.add_file(path, {}, 0);
  return collector.take();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (size_t end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  pieces.push_back(text);
  return pieces;
}

}  // namespace palang::foreign::csf
