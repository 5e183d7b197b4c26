#include "rules/hostile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace palang::hostile {
namespace {

constexpr size_t most_reported = 3;  // for each example
constexpr size_t reach = 16;         // how far around the address messages are cut

std::string with(std::string_view text, std::string_view what, std::string_view instead) {
  std::string result;
  size_t from = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, from)) {
    result.append(text.substr(from, at - from)).append(instead);
    from = at + what.size();
  }
  return result.append(text.substr(from));
}

// Behind the header of a syslog line ("…sshd[42]: "); 0 where there is none.
size_t message_at(const RuleExample& example) {
  if (!example.file.empty()) return 0;
  const size_t colon = example.line.find(": ");
  return colon == std::string::npos ? 0 : colon + 2;
}

struct Field {
  std::string_view text;
  bool is_word = false;  // the daemon keeps it free of spaces
};

std::vector<Field> fields_of(const RuleExample& example) {
  std::vector<Field> fields;
  for (const std::string& text : example.attacker) fields.push_back({text, false});
  for (const std::string& text : example.attacker_words) fields.push_back({text, true});
  return fields;
}

std::string as_word(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == ' ' || c == '\t'; }, '_');
  return text;
}

using Quoting = std::string (*)(std::string_view);
std::string as_it_is(std::string_view text) {
  return std::string(text);
}
std::string backslashed(std::string_view text) {  // Apache, JSON, vis(3)
  return with(with(text, "\\", "\\\\"), "\"", "\\\"");
}
std::string in_hex(std::string_view text) {  // nginx
  return with(with(text, "\\", "\\x5C"), "\"", "\\x22");
}
constexpr std::array<Quoting, 3> quotings{as_it_is, backslashed, in_hex};

// What is common in log lines before and behind addresses.
void add_phrases(std::string_view victim, std::vector<std::string>& into) {
  constexpr std::array phrases{
      "{}",
      "[{}]",
      "({})",
      "<{}>",
      "'{}'",
      "\" {} \"",
      "' {} '",
      "\\\" {} \\\"",
      "{}:22",
      "from {}",
      "from {} port 22",
      "x from {} port 22 ssh2",
      "x from {} port 22 ssh2 [preauth]",
      "x>, method=PLAIN, rip={}, lip=192.0.2.1",
      "x rhost={}",
      "x rhost={}  user=x",
      "[client {}]",
      ", client: {}, server: x",
      "relay=h [{}]",
      "x) [{}]: 535 Incorrect authentication data (set_id=y",
      "\"remoteAddr\":\"{}\"",
      "x'@'{}' (using password: YES)",
      "x from {}\t",
      "{} - - [12/Jan/2025:00:30:41 +0100] \"GET / HTTP/1.1\" 401 1 \"-\" \"-\"",
  };
  for (const std::string_view phrase : phrases) into.push_back(fmt::format(fmt::runtime(phrase), victim));
}

// A message that tells of the victim: whole, and the pieces that begin or end near the address or an attacker's field.
void add_pieces(const std::string& message, std::string_view victim, const RuleExample& example,
                std::vector<std::string>& into) {
  for (const char* frame : {"{}", "x {}", "{} x", " {} "}) into.push_back(fmt::format(fmt::runtime(frame), message));
  const size_t at = message.find(victim);
  if (at == std::string::npos) return;
  const size_t end = at + victim.size();
  into.push_back(message.substr(0, end));
  for (size_t from = at < reach ? 0 : at - reach; from <= at; ++from) {
    into.push_back(message.substr(from));
    into.push_back("x" + message.substr(from));
  }
  for (size_t to = end; to < std::min(message.size(), end + reach); ++to) into.push_back(message.substr(0, to));
  for (const Field& field : fields_of(example)) {
    const size_t field_at = message.find(field.text);
    if (field_at == std::string::npos) continue;
    into.push_back(message.substr(0, field_at));
    into.push_back(message.substr(field_at));
    into.push_back("a" + message.substr(field_at + field.text.size()));
  }
}

// The rest of a message from behind an attacker's field to somewhere behind the address, and something that what then
// follows of the real line may look like: "…" as a value, a name, a number.
void add_bridges(const std::string& message, std::string_view victim, const RuleExample& example,
                 std::vector<std::string>& into) {
  constexpr std::array<std::string_view, 9> bridges{"", " ", "\"", ", \"", " (", " [", ": ", "  user=", " - "};
  for (const Field& field : fields_of(example)) {
    const size_t field_end = message.find(field.text) + field.text.size();
    const size_t address = message.find(victim, std::min(field_end, message.size()));
    if (message.find(field.text) == std::string::npos || address == std::string::npos) continue;
    for (size_t to = address + victim.size(); to <= message.size(); ++to) {
      const bool ends_word = to == message.size() || std::string_view(" ,:;=)]>'\"").contains(message[to]);
      if (!ends_word) continue;
      const std::string piece = "x" + message.substr(field_end, to - field_end);
      for (const std::string_view bridge : bridges) {
        into.push_back(piece + std::string(bridge));
        if (to < message.size()) into.push_back(piece + message[to] + std::string(bridge));
      }
    }
  }
}

std::string about_victim(std::string_view text, const RuleExample& example, std::string_view victim) {
  return with(with(text, "::ffff:" + example.addr, victim), example.addr, victim);
}

}  // namespace

std::vector<std::string> texts(std::span<const RuleDefinition* const> rules) {
  std::vector<std::string> all;
  for (const std::string_view victim : victims) {
    add_phrases(victim, all);
    if (victim.starts_with("::ffff:")) continue;
    for (const RuleDefinition* rule : rules) {
      for (const RuleExample& example : rule->examples) {
        if (!example.match) continue;
        all.push_back(about_victim(example.line, example, victim));
        const std::string_view message = std::string_view(example.line).substr(message_at(example));
        add_pieces(about_victim(message, example, victim), victim, example, all);
        add_bridges(about_victim(message, example, victim), victim, example, all);
      }
    }
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

namespace {

bool is_victim(const Address& address) {
  return std::ranges::any_of(victims, [&](std::string_view victim) { return Address::parse(victim) == address; });
}

// A line that must match may blame its sender only; of one that must not, texts may make one that matches, but none
// that blames a victim.
void try_line(ExampleReader& reader, const RuleDefinition& rule, const RuleExample& example, const std::string& line,
              Outcome& outcome) {
  ++outcome.lines;
  const auto sender = Address::parse(example.addr);
  for (const Event& event : reader.read(line, example.file)) {
    if (sender ? event.source == *sender : !is_victim(event.source)) continue;
    outcome.misled.push_back(fmt::format("{}, in an example of {}, blames {} for: {}", rule_name(event.rule),
                                         rule.settings.name, event.source.text(), line));
  }
}

void try_example(ExampleReader& reader, const RuleDefinition& rule, const RuleExample& example,
                 std::span<const std::string> texts, Outcome& outcome) {
  const size_t known = outcome.misled.size();
  const std::string header = example.line.substr(0, message_at(example));
  const std::string message = example.line.substr(header.size());
  const std::vector<Field> fields = fields_of(example);
  const auto put = [](const std::string& into, const Field& field, const std::string& text) {
    return with(into, field.text, field.is_word ? as_word(text) : text);
  };
  for (const std::string& text : texts) {
    for (const Quoting quoting : quotings) {
      const std::string quoted = quoting(text);
      if (quoting != quotings.front() && quoted == text) continue;
      for (const Field& field : fields) try_line(reader, rule, example, header + put(message, field, quoted), outcome);
      if (fields.size() < 2) continue;
      std::string all = message;
      for (const Field& field : fields) all = put(all, field, quoted);
      try_line(reader, rule, example, header + all, outcome);
    }
    if (outcome.misled.size() >= known + most_reported) return;
  }
}

}  // namespace

void inject(ExampleReader& reader, std::span<const RuleDefinition* const> rules, Outcome& outcome) {
  const std::vector<std::string> all = texts(rules);
  for (const RuleDefinition* rule : rules) {
    for (const RuleExample& example : rule->examples) {
      try_line(reader, *rule, example, example.line, outcome);
      try_example(reader, *rule, example, all, outcome);
    }
  }
}

}  // namespace palang::hostile
