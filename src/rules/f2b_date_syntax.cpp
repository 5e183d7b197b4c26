#include "rules/f2b_date_syntax.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "rules/f2b_ini.hpp"

namespace palang::f2b {

namespace {

using Field = std::pair<std::string_view, std::string_view>;

// What each field takes. Those with Ex are exact: two digits where strptime would do with one.
constexpr std::array<Field, 40> date_field_patterns = {{
    {"ExY", R"((?P<Y>20\d\d))"},
    {"Exy", R"((?P<y>\d{2}))"},
    {"Exd", R"((?P<d>[1-2]\d|0[1-9]|3[0-1]))"},
    {"Exm", R"((?P<m>0[1-9]|1[0-2]))"},
    {"ExH", R"((?P<H>[0-1]\d|2[0-3]))"},
    {"Exk", R"( ?(?P<H>[0-1]?\d|2[0-3]))"},
    {"Exl", R"( ?(?P<I>1[0-2]|\d))"},
    {"ExM", R"((?P<M>[0-5]\d))"},
    {"ExS", R"((?P<S>[0-5]\d|6[0-1]))"},
    {"ExZ", R"((?P<Z>[A-Z](?:[A-Z]{2,4})?))"},
    {"Exz", R"((?P<z>(?:[A-Z](?:[A-Z]{2,4})?)?[+-][01]\d(?::?\d{2})?|[A-Z](?:[A-Z]{2,4})?))"},
    {"Y", R"((?P<Y>\d{4}))"},
    {"y", R"((?P<y>\d\d))"},
    {"m", R"((?P<m>0?[1-9]|1[0-2]))"},
    {"d", R"((?P<d>[1-2]\d|[0 ]?[1-9]|3[0-1]))"},
    {"H", R"((?P<H>[0-1]?\d|2[0-3]))"},
    {"k", R"( ?(?P<H>[0-2]?\d))"},
    {"I", R"((?P<I>1[0-2]|0[1-9]|[1-9]))"},
    {"l", R"( ?(?P<I>1?\d))"},
    {"M", R"((?P<M>[0-5]?\d))"},
    {"S", R"((?P<S>[0-5]?\d|6[0-1]))"},
    {"f", R"((?P<f>[0-9]{1,6}))"},
    {"j", R"((?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9]))"},
    {"U", R"((?P<U>5[0-3]|[0-4]\d|\d))"},
    {"W", R"((?P<W>5[0-3]|[0-4]\d|\d))"},
    {"w", R"((?P<w>[0-6]))"},
    {"u", R"((?P<u>[1-7]))"},
    {"V", R"((?P<V>5[0-3]|0[1-9]|[1-4]\d|\d))"},
    {"G", R"((?P<G>\d\d\d\d))"},
    {"z", R"((?P<z>Z|UTC|GMT|[+-][01]\d(?::?\d{2})?))"},
    {"Z", R"((?P<Z>Z|[A-Z]{3,5}))"},
    {"a", "(?P<a>mon|tue|wed|thu|fri|sat|sun)"},
    {"A", "(?P<A>wednesday|thursday|saturday|tuesday|monday|friday|sunday)"},
    {"b", "(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"},
    {"B", "(?P<B>september|february|november|december|january|october|august|march|april|june|july|may)"},
    {"p", "(?P<p>am|pm)"},
    {"x", R"((?P<m>1[0-2]|0[1-9]|[1-9])/(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])/(?P<y>\d\d))"},
    {"X", R"((?P<H>2[0-3]|[0-1]\d|\d):(?P<M>[0-5]\d|\d):(?P<S>6[0-1]|[0-5]\d|\d))"},
    {"c",
     R"((?P<a>mon|tue|wed|thu|fri|sat|sun)\s+(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s+(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])\s+(?P<H>2[0-3]|[0-1]\d|\d):(?P<M>[0-5]\d|\d):(?P<S>6[0-1]|[0-5]\d|\d)\s+(?P<Y>\d\d\d\d))"},
    {"%", "%"},
}};

// The length of "(?flags)" that the text begins with, or 0.
size_t flags_length(std::string_view text) {
  if (!text.starts_with("(?")) return 0;
  size_t at = 2;
  while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
  return at > 2 && at < text.size() && text[at] == ')' ? at + 1 : 0;
}

size_t count_open(std::string_view text) {
  return std::min(text.find_first_not_of('('), text.size());
}

bool opens_at_line_begin(std::string_view text) {
  return text.starts_with("(^") || text.starts_with("(?:^");
}

// "^…", "(^…", "((?i)^…", "(?:^…" or "**…": it says itself where it begins.
bool says_begin(std::string_view regex) {
  for (size_t open = count_open(regex) + 1; open-- > 0;) {
    const std::string_view rest = regex.substr(open);
    for (const size_t skip : {size_t{0}, flags_length(rest)}) {
      const std::string_view inner = rest.substr(skip);
      if (inner.starts_with('^') || opens_at_line_begin(inner) || inner.substr(count_open(inner)).starts_with("**"))
        return true;
    }
  }
  return false;
}

bool ends_with_unescaped(std::string_view text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  return text.size() == end.size() || text[text.size() - end.size() - 1] != '\\';
}

std::string_view without_closing(std::string_view text) {
  return text.substr(0, text.find_last_not_of(')') + 1);
}

// "…$", "…$)", "…\b", "…\s" or "…**".
bool says_end(std::string_view regex) {
  return ends_with_unescaped(regex, "$") || ends_with_unescaped(regex, "$)") || ends_with_unescaped(regex, "\\b") ||
         ends_with_unescaped(regex, "\\s") || ends_with_unescaped(without_closing(regex), "**");
}

bool begins_with_line(std::string_view regex) {
  const std::string_view rest = regex.substr(flags_length(regex));
  if (rest.starts_with('^')) return true;
  if (!opens_at_line_begin(rest)) return false;
  return !rest.substr(rest.find('^') + 1).starts_with('|');
}

bool ends_with_line(std::string_view regex) {
  for (const std::string_view end : {"$", "$)"}) {
    if (!regex.ends_with(end)) continue;
    const size_t before = regex.size() - end.size();
    if (before == 0 || (regex[before - 1] != '\\' && regex[before - 1] != '|')) return true;
  }
  return false;
}

// Whether it has a group (…) of its own, which says what is cut out.
bool has_plain_group(std::string_view regex) {
  for (size_t at = regex.find('('); at != std::string_view::npos; at = regex.find('(', at + 1)) {
    const std::string_view before = regex.substr(0, at);
    if (!regex.substr(at + 1).starts_with('?') && !before.ends_with('\\') && !before.ends_with("(?")) return true;
  }
  return false;
}

std::string wrap_in_group(std::string_view regex) {
  size_t start = flags_length(regex);
  if (regex.substr(start).starts_with('^')) ++start;
  start += flags_length(regex.substr(start));
  const size_t end = regex.size() > start && regex.ends_with('$') ? regex.size() - 1 : regex.size();
  return std::string(regex.substr(0, start)) + "(" + std::string(regex.substr(start, end - start)) + ")" +
         std::string(regex.substr(end));
}

void remove_bound_marks(std::string& regex) {
  size_t at = count_open(regex);
  for (size_t open = at + 1; open-- > 0;)
    if (const size_t length = flags_length(std::string_view(regex).substr(open)); length > 0) at = open + length;
  at += count_open(std::string_view(regex).substr(at));
  if (regex.substr(at).starts_with("**")) regex.erase(at, 2);
  const std::string_view inner = without_closing(regex);
  if (ends_with_unescaped(inner, "**")) regex.erase(inner.size() - 2, 2);
}

}  // namespace

DateRegex bound_date(std::string_view pattern, DateStart start, bool word_end) {
  std::string regex(strip(pattern));
  std::string flags;
  for (size_t at = 0; at < regex.size(); ++at) {
    const size_t length = flags_length(std::string_view(regex).substr(at));
    if (length == 0) continue;
    flags = regex.substr(at, length);
    regex.erase(at, length);
    break;
  }
  const bool bound_begin = start != DateStart::anywhere && !says_begin(regex);
  const bool bound_end = word_end && !says_end(regex);
  if (!has_plain_group(regex)) regex = wrap_in_group(regex);
  DateRegex result;
  if (bound_begin && start == DateStart::at_line) {
    regex.insert(0, R"(^(?:\W{0,2})?)");
    result.at_line_begin = true;
  } else if (bound_begin) {
    regex.insert(0, R"((?=^|\b|\W))");
  }
  if (bound_end) regex += R"((?=\b|\W|$))";
  result.at_line_begin = result.at_line_begin || begins_with_line(regex);
  result.at_line_end = ends_with_line(regex);
  remove_bound_marks(regex);
  result.text = flags + regex;
  return result;
}

Result<std::string> expand_date_fields(std::string_view pattern) {
  std::string result;
  bool has_letters = false;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '%') {
      result += pattern[at];
      continue;
    }
    const std::string_view rest = pattern.substr(at + 1);
    const auto field =
        std::ranges::find_if(date_field_patterns, [&](const Field& f) { return rest.starts_with(f.first); });
    if (field == date_field_patterns.end())
      return fail("\"%" + escape_controls(rest.substr(0, 3)) + "\" is no field of a date");
    result += field->second;
    has_letters = has_letters || std::string_view("aAbBpc").find(field->first) != std::string_view::npos;
    at += field->first.size();
  }
  return has_letters ? "(?i)" + result : result;
}

}  // namespace palang::f2b
