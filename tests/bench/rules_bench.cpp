// How fast lines become events: header → rules → Event, on one core. See rules.py, which calls it and reads its answer.
//
//   rules_bench RULES FILE [--copies N] [--each] [--as PATH]
//
// --copies: with N more rules for each one, that differ in what they look for. --each: times every line by itself.
// --as: the lines were written to this log file.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "engine/line_reader.hpp"
#include "rules/rule_file.hpp"

using namespace palang;

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::vector<RawLine> lines_of(std::string_view text, const LineOrigin& origin) {
  const WallTime now = SystemClock().now();
  std::vector<RawLine> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back({text.substr(at, end - at), Framing::syslog, now, &origin});
    at = end + 1;
  }
  return lines;
}

// A rule like this one, that looks for something else: behind the address, or from the beginning on.
RuleDefinition copy_of(const RuleDefinition& rule, int number) {
  RuleDefinition copy = rule;
  copy.settings.name += fmt::format("-{}", number);
  for (std::string& pattern : copy.patterns) {
    const std::string word = fmt::format("copy{} ", number);
    if (number % 3 == 0 || !pattern.ends_with('$'))
      pattern.insert(pattern.find_first_not_of('^'), word);
    else
      pattern.insert(pattern.size() - 1, " " + word);
  }
  for (std::string& path : copy.where.path) path += fmt::format("copy{}", number);
  return copy;
}

struct Run {
  double seconds = 0;
  double slowest = 0;
  uint64_t events = 0;
};

Run run(RuleBook& book, std::span<const RawLine> lines, bool each) {
  LineReader reader(WallTime{});
  std::vector<Event> events;
  Run result;
  const double start = cpu_seconds();
  for (const RawLine& line : lines) {
    const double before = each ? cpu_seconds() : 0;
    events.clear();
    const ParsedLine parsed = reader.parse(line);
    if (parsed.fate == LineFate::judged)
      ++result.events;
    else
      (void)reader.by_rules(line, parsed.fate, book, events);
    result.events += events.size();
    if (each) result.slowest = std::max(result.slowest, cpu_seconds() - before);
  }
  result.seconds = cpu_seconds() - start;
  return result;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() < 2) return 2;
  int copies = 0;
  bool each = false;
  LineOrigin origin;
  for (size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "--each")
      each = true;
    else if (arguments[i] == "--as" && i + 1 < arguments.size())
      origin.file = arguments[++i];
    else if (arguments[i] == "--copies" && i + 1 < arguments.size())
      copies = std::stoi(arguments[++i]);
    else
      return 2;
  }
  LoadedRules loaded = load_rules(arguments[0], "");
  for (const std::string& fault : loaded.faults) std::cerr << fault << '\n';
  const size_t originals = loaded.rules.size();
  for (size_t rule = 0; rule < originals; ++rule)
    for (int number = 1; number <= copies; ++number) loaded.rules.push_back(copy_of(loaded.rules[rule], number));
  auto rules = RuleSet::compile(loaded.rules);
  if (!rules) {
    std::cerr << rules.error().text << '\n';
    return 1;
  }
  RuleBook book;
  book.rules = std::move(*rules);
  std::ifstream file(arguments[1], std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::vector<RawLine> lines = lines_of(text, origin);

  constexpr int runs = 5;
  std::vector<double> seconds;
  Run last;
  double slowest = 1e9;  // a line is as slow as the fastest of its runs: all else is the machine's
  for (int i = 0; i < runs; ++i) {
    last = run(book, lines, each);
    seconds.push_back(last.seconds);
    slowest = std::min(slowest, last.slowest);
  }
  std::ranges::sort(seconds);
  fmt::print(
      "{{\"rules\": {}, \"lines\": {}, \"bytes\": {}, \"events\": {}, \"seconds\": {:.6f}, \"slowest\": {:.6f}, "
      "\"given_up\": {}}}\n",
      book.size(), lines.size(), text.size(), last.events, seconds[runs / 2], slowest, book.given_up());
  return 0;
}
