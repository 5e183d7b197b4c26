// Runs fail2ban's own sample logs (fail2ban/tests/files/logs of its Debian package) through its filters, unmodified:
// every expectation that is written in the samples must hold, and lines without one must not match.
//
//   fail2ban_samples                            the installed package
//   fail2ban_samples SAMPLES CONFIG…            other samples, with the filters in CONFIG/filter.d
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "golden/fail2ban_condition.hpp"
#include "rules/f2b_filter.hpp"
#include "rules/f2b_tags.hpp"

namespace palang {
namespace {

namespace fs = std::filesystem;
using f2b::Filter;
using f2b::FilterFailure;
using nlohmann::json;

// "now" of the samples: 2005-08-14T10:00Z, in the time zone below.
constexpr WallTime samples_now{std::chrono::seconds{1'124'013'600}};
constexpr const char* samples_zone = "CET-01CEST-02,M3.5.0,M10.5.0";
constexpr int skipped = 77;

struct Totals {
  std::set<std::string> files;  // one that others add counts once, and so do its annotations
  int filters = 0, annotations = 0, matching = 0, lines = 0, differences = 0;
};

std::optional<WallTime> local_time(const std::string& text) {
  tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  parts.tm_isdst = -1;
  const double fraction = *rest == '.' ? std::strtod(rest, nullptr) : 0;
  return WallTime{std::chrono::seconds{mktime(&parts)} + std::chrono::microseconds{std::lround(fraction * 1e6)}};
}

// One set of filter options, for which the lines that follow are run.
struct Run {
  json options;
  std::shared_ptr<Filter> filter;
};

class SampleFile {
 public:
  SampleFile(const fs::path& samples, const fs::path& config, const std::string& name, Totals& totals)
      : samples_(samples), config_(config), name_(name), totals_(totals) {}

  void run() {
    files_.push_back(name_);
    for (size_t index = 0; index < files_.size(); ++index) run_file(files_[index]);
  }

 private:
  void differ(const std::string& what) {
    ++totals_.differences;
    fmt::print("{}:{}: {}: {}\n    {}\n", file_, number_, describe_run_, what, line_);
  }

  void run_file(const std::string& file) {
    const bool first_time = totals_.files.insert(file).second;
    file_ = file;
    number_ = 0;
    ignored_ = false;
    std::ifstream stream(samples_ / file);
    if (!stream) return differ("the file is missing");
    while (next_line(stream)) {
      json expected = json::object();
      const auto directive = read_directive();
      if (directive.first == "failJSON") {
        expected = directive.second;
        if (first_time) ++totals_.annotations;
        if (first_time && expected.value("match", false)) ++totals_.matching;
        if (!next_line(stream)) return;
      } else if (!directive.first.empty()) {
        follow(directive.first, directive.second);
        continue;
      } else if (line_.starts_with('#') || f2b::strip(line_).empty()) {
        continue;
      }
      if (!ignored_) run_line(expected);
    }
  }

  bool next_line(std::ifstream& stream) {
    if (!std::getline(stream, line_)) return false;
    while (line_.ends_with('\r') || line_.ends_with('\n')) line_.pop_back();
    ++number_;
    return true;
  }

  // "# failJSON: {…}", "##fileOptions: …"; "" for other lines.
  std::pair<std::string, json> read_directive() {
    const size_t start = line_.find_first_not_of('#');
    if (!line_.starts_with('#') || start == std::string::npos) return {};
    std::string_view rest = std::string_view(line_).substr(start);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    for (const std::string_view name : {"failJSON", "fileOptions", "filterOptions", "addFILE"}) {
      if (!rest.starts_with(name) || !rest.substr(name.size()).starts_with(':')) continue;
      auto parsed = json::parse(rest.substr(name.size() + 1), nullptr, false);
      if (parsed.is_discarded()) {
        differ("the annotation can't be read");
        return {};
      }
      return {std::string(name), std::move(parsed)};
    }
    return {};
  }

  void follow(const std::string& directive, const json& value) {
    if (directive == "addFILE") return files_.push_back(value.get<std::string>());
    if (directive == "fileOptions") {
      file_options_ = value;
      return;
    }
    runs_.clear();
    runs_chosen_ = true;
    ignored_ = false;
    for (const json& given : value.is_array() ? value : json::array({value})) {
      json options = file_options_;
      options.update(given);
      if (options.contains("test.condition")) ignored_ = !condition(options["test.condition"], options);
      if (!ignored_) runs_.push_back({options, filter_for(options)});
    }
  }

  bool condition(const std::string& text, const json& options) {
    const auto option = [&](const std::string& key) -> std::optional<std::string> {
      if (!options.contains(key)) return std::nullopt;
      return options[key].get<std::string>();
    };
    const auto holds = samples::Condition(text, name_, option).holds();
    if (!holds) differ("the condition is not understood: " + text);
    return holds.value_or(false);
  }

  std::shared_ptr<Filter> filter_for(const json& options) {
    f2b::Values values;
    for (const auto& [name, value] : options.items())
      if (!name.starts_with("test.")) values[name] = value.get<std::string>();
    auto& filter = filters_[values];
    if (filter) return filter;
    ++totals_.filters;
    const auto file = f2b::FilterFile::read(config_, name_);
    if (!file) {
      differ(file.error().text);
      return nullptr;
    }
    const auto combined = file->combine({}, values, false);
    if (!combined) {
      differ(combined.error().text);
      return nullptr;
    }
    const auto definition = file->define(*combined, {});
    for (const std::string& complaint : definition.complaints) differ(complaint);
    auto compiled = Filter::compile(definition, {.every_pattern = true});
    if (!compiled) {
      differ(compiled.error().text);
      return nullptr;
    }
    filter = std::make_shared<Filter>(std::move(*compiled));
    return filter;
  }

  void run_line(const json& expected) {
    if (!runs_chosen_) {
      runs_.push_back({json::object(), filter_for(json::object())});
      runs_chosen_ = true;
    }
    const std::string line = line_;
    for (const Run& run : runs_) {
      describe_run_ = name_ + run.options.dump();
      if (!run.filter) continue;
      if (expected.contains("constraint") && !condition(expected["constraint"], run.options)) continue;
      ++totals_.lines;
      std::vector<FilterFailure> failures;
      if (run.options.value("logtype", "") == "journal") {
        run.filter->observe_entry(run.options.value("test.prefix-line", "") + line, samples_now, failures);
      } else {
        run.filter->observe(line, samples_now, failures);
      }
      std::erase_if(failures, [](const FilterFailure& failure) { return failure.quiet || failure.pending; });
      judge(*run.filter, failures, expected);
    }
  }

  void judge(const Filter& filter, const std::vector<FilterFailure>& failures, const json& expected) {
    const bool must_match = expected.value("match", false);
    if (failures.empty()) {
      if (must_match) differ("did not match, but must");
      return;
    }
    const std::string& pattern = filter.failregex()[failures.front().pattern].source();
    if (!must_match) return differ("matched, but must not: " + pattern);
    if (failures.size() > 1)
      return differ("matched twice: " + pattern + "\n    " + filter.failregex()[failures[1].pattern].source());
    for (const auto& [key, value] : expected.items())
      if (key != "match" && key != "desc" && key != "constraint") compare(failures.front(), key, value);
  }

  void compare(const FilterFailure& failure, const std::string& key, const json& expected) {
    if (key == "time" && expected.is_null()) return;  // any
    if (key == "time") {
      const auto at = local_time(expected.get<std::string>());
      if (!at || *at != failure.at) differ("time is " + format_local(failure.at) + ", not " + expected.dump());
      return;
    }
    json found;
    if (const auto field = failure.fields.find(key); field != failure.fields.end()) found = field->second;
    if (key == "users") found = std::set<std::string>(failure.users.begin(), failure.users.end());
    if (key == "attempts" && found.is_null()) found = failure.attempts;
    if (key == "host" && found.is_null()) found = failure.source ? failure.source->text() : failure.id;
    json wanted = expected;
    if (wanted.is_array()) wanted = expected.get<std::set<std::string>>();
    if (key == "host" && expected.is_string())
      if (const auto prefix = Prefix::parse(expected.get<std::string>())) wanted = prefix->text();
    if (found != wanted)
      differ(key + " is " + found.dump(-1, ' ', false, json::error_handler_t::replace) + ", not " + expected.dump());
  }

  fs::path samples_;
  std::string config_;
  std::string name_;
  Totals& totals_;
  std::vector<std::string> files_;
  std::map<f2b::Values, std::shared_ptr<Filter>> filters_;
  std::vector<Run> runs_;
  bool runs_chosen_ = false;
  json file_options_ = json::object();
  bool ignored_ = false;
  std::string file_, line_, describe_run_;
  int number_ = 0;
};

std::vector<std::string> sample_names(const fs::path& samples) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(samples))
    if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), samples).string());
  std::sort(names.begin(), names.end());
  return names;
}

// Where Debian and Ubuntu put fail2ban's tests.
fs::path installed_tests() {
  return "/usr/lib/python3/dist-packages/fail2ban/tests";
}

// The filters of the tests include those of fail2ban's configuration by their place in its source tree, or in that of
// Debian's build, three directories deeper. This is such a tree, of links to where the package puts them.
class SourceTree {
 public:
  SourceTree() {
    std::string pattern = (fs::temp_directory_path() / "palang-samples-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    root_ = pattern;
    fs::create_directories(source());
    for (const fs::path& place : {root_, source()}) fs::create_directory_symlink("/etc/fail2ban", place / "config");
    fs::create_directory_symlink(installed_tests().parent_path(), source() / "fail2ban");
  }
  SourceTree(const SourceTree&) = delete;
  SourceTree& operator=(const SourceTree&) = delete;
  ~SourceTree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  [[nodiscard]] std::string config() const { return root_ / "config"; }
  [[nodiscard]] std::string test_config() const { return source() / "fail2ban/tests/config"; }

 private:
  [[nodiscard]] fs::path source() const { return root_ / "1/2/3"; }
  fs::path root_;
};

int run_samples(const fs::path& samples, const std::vector<std::string>& configs) {
  Totals totals;
  for (const std::string& name : sample_names(samples))
    for (const std::string& config : configs) {
      if (!fs::exists(fs::path(config) / "filter.d" / (name + ".conf"))) continue;
      SampleFile(samples, config, name, totals).run();
      break;
    }
  for (const std::string& name : sample_names(samples))
    if (!totals.files.contains(name)) fmt::print("{}: no filter is for this file, and none includes it\n", name);
  fmt::print("{} files, {} filters with their options, {} annotations ({} must match), {} lines, {} differences\n",
             totals.files.size(), totals.filters, totals.annotations, totals.matching, totals.lines,
             totals.differences);
  // Something is wrong with the samples, if they are as few as this.
  const bool enough = totals.files.size() >= 50 && totals.annotations >= 500;
  if (!enough) fmt::print("too few samples in {}\n", samples.string());
  return enough && totals.differences == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace palang

int main(int count, char** arguments) {
  using palang::installed_tests;
  setenv("TZ", palang::samples_zone, 1);
  tzset();
  if (count >= 3) return palang::run_samples(arguments[1], {arguments + 2, arguments + count});
  if (!std::filesystem::exists(installed_tests() / "files/logs") ||
      !std::filesystem::exists("/etc/fail2ban/filter.d")) {
    fmt::print("skipped: the package fail2ban, with its tests, is not installed\n");
    return palang::skipped;
  }
  const palang::SourceTree tree;
  return palang::run_samples(installed_tests() / "files/logs", {tree.config(), tree.test_config()});
}
