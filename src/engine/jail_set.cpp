#include "engine/jail_set.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "base/text.hpp"

namespace palang {
namespace {

std::string value_of(const LineOrigin& origin, std::string_view field) {
  if (field == "_SYSTEMD_UNIT") return std::string(origin.unit);
  if (field == "SYSLOG_IDENTIFIER") return std::string(origin.identifier);
  if (field == "_COMM") return std::string(origin.comm);
  if (field == "_TRANSPORT") return std::string(origin.transport);
  if (field == "_UID") return origin.uid ? std::to_string(*origin.uid) : "";
  return {};
}

bool is_ignored(const f2b::Jail& jail, const f2b::FilterFailure& failure) {
  return std::ranges::any_of(jail.ignored, [&](const Prefix& prefix) { return prefix.contains(*failure.source); });
}

}  // namespace

// fail2ban's filter for repeated offenders reads fail2ban's own log, which nobody writes any more.
bool counts_bans(const f2b::Jail& jail) {
  return jail.filter.name == "recidive";
}

RuleSettings settings_of(const f2b::Jail& jail, const BanSettings& ban) {
  RuleSettings settings;
  settings.name = fmt::format("jail:{:.50}", jail.name);
  settings.what = fmt::format("failures in fail2ban's jail {:.50}", jail.name);
  settings.after = std::clamp<uint32_t>(jail.max_retry, 1, most_rule_after);
  settings.within = jail.find_time;
  settings.ban.first = jail.ban_time.value_or(std::max(ban.at_most, ban.first));
  settings.ban.at_most = settings.ban.first;
  if (jail.increment.enabled && jail.ban_time)
    settings.ban.at_most = std::max(*settings.ban.first, jail.increment.at_most.value_or(ban.at_most));
  if (counts_bans(jail)) settings.count = RuleSettings::Count::bans;
  if (jail.protocol == "udp") settings.proof = Proof::forgeable;
  return settings;
}

JailSet JailSet::compile(const f2b::Jails& jails, std::vector<std::string>& faults) {
  JailSet set;
  for (const f2b::Jail& jail : jails.enabled) {
    if (!jail.problem.empty()) {
      faults.push_back(fmt::format("{}:{}: jail {}: {}", jail.file, jail.line, jail.name, jail.problem));
      continue;
    }
    auto filter = f2b::Filter::compile(jail.definition);
    if (!filter) {
      faults.push_back(fmt::format("{}:{}: jail {}: {}", jail.file, jail.line, jail.name, filter.error().text));
      continue;
    }
    const RuleSettings settings = settings_of(jail, BanSettings{});
    set.jails_.push_back({jail, std::make_unique<f2b::Filter>(std::move(*filter)), rule_named(settings.name),
                          settings.proof, read_journalmatch(jail.definition.journalmatch)});
  }
  return set;
}

// "A=1 A=2 B=3 + C=4", as journalctl(1) has it; several lines are alternatives, too.
std::vector<JailSet::Terms> JailSet::read_journalmatch(const std::vector<std::string>& lines) {
  std::vector<Terms> any_of;
  for (const std::string& line : lines) {
    any_of.emplace_back();
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t\n"));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      if (word == "+") any_of.emplace_back();
      if (const size_t equals = word.find('='); equals != std::string_view::npos)
        any_of.back().push_back({std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))});
    }
  }
  std::erase_if(any_of, [](const Terms& terms) { return terms.empty(); });
  return any_of;
}

bool JailSet::fits(const Terms& terms, const LineOrigin& origin) {
  return std::ranges::all_of(terms, [&](const Term& term) {
    const std::string value = value_of(origin, term.field);
    return std::ranges::any_of(terms,
                               [&](const Term& other) { return other.field == term.field && other.value == value; });
  });
}

bool JailSet::reads(const Loaded& loaded, const LineOrigin& origin) {
  if (!loaded.jail.journal || counts_bans(loaded.jail)) return false;
  if (loaded.any_of.empty()) return true;
  return std::ranges::any_of(loaded.any_of, [&](const Terms& terms) { return fits(terms, origin); });
}

const std::vector<size_t>& JailSet::of_file(std::string_view file) {
  if (file == last_file_) return of_last_file_;
  last_file_ = file;
  of_last_file_.clear();
  for (size_t i = 0; i < jails_.size(); ++i) {
    const auto is_of_it = [&](const f2b::JailLog& log) {
      return ::fnmatch(log.pattern.c_str(), last_file_.c_str(), 0) == 0;
    };
    if (!jails_[i].jail.journal && !counts_bans(jails_[i].jail) && std::ranges::any_of(jails_[i].jail.logs, is_of_it))
      of_last_file_.push_back(i);
  }
  return of_last_file_;
}

bool JailSet::wants(const LineOrigin& origin) {
  if (!origin.file.empty()) return !of_file(origin.file).empty();
  return std::ranges::any_of(jails_, [&](const Loaded& loaded) { return reads(loaded, origin); });
}

bool JailSet::match(const RawLine& raw, std::vector<Event>& events) {
  if (jails_.empty() || raw.origin == nullptr) return false;
  failures_.clear();
  const LineOrigin& origin = *raw.origin;
  if (!origin.file.empty()) {
    const std::vector<size_t>& readers = of_file(origin.file);
    for (const size_t i : readers) take(jails_[i], raw, events);
    return !readers.empty();
  }
  bool read = false;
  for (const Loaded& loaded : jails_) {
    if (!reads(loaded, origin)) continue;
    read = true;
    take(loaded, raw, events);
  }
  return read;
}

std::vector<f2b::FilterFailure> JailSet::failures_in(const Loaded& loaded, const RawLine& raw) {
  std::vector<f2b::FilterFailure> found;
  if (raw.framing == Framing::message) {
    text_ = f2b::journal_text({"localhost", raw.origin->identifier, raw.origin->pid, raw.text});
    loaded.filter->observe_entry(text_, raw.at, found);
  } else {
    loaded.filter->observe(raw.text, raw.at, found);
  }
  std::erase_if(found, [](const auto& failure) { return !failure.source || failure.quiet || failure.pending; });
  return found;
}

Event JailSet::event_of(const Loaded& loaded, const f2b::FilterFailure& failure, const RawLine& raw) {
  Event event;
  event.at = failure.at;
  event.source = failure.source->address();
  event.bits = failure.source->bits();
  event.rule = loaded.rule;
  event.proof = loaded.proof;
  event.user = failure.user;
  event.line = failure.lines.empty() ? raw.text : std::string_view(failure.lines.back());
  return event;
}

void JailSet::take(const Loaded& loaded, const RawLine& raw, std::vector<Event>& events) {
  for (f2b::FilterFailure& failure : failures_in(loaded, raw)) {
    if (is_ignored(loaded.jail, failure)) continue;
    events.push_back(event_of(loaded, failures_.emplace_back(std::move(failure)), raw));
  }
}

bool JailSet::is_offered(size_t jail, const LineOrigin& origin) {
  if (origin.file.empty()) return reads(jails_[jail], origin);
  return std::ranges::find(of_file(origin.file), jail) != of_file(origin.file).end();
}

std::vector<JailTrial> JailSet::explain(const RawLine& raw, bool anywhere, std::vector<Event>& events) {
  std::vector<JailTrial> trials;
  failures_.clear();
  for (size_t i = 0; i < jails_.size(); ++i) {
    const Loaded& loaded = jails_[i];
    if (counts_bans(loaded.jail) || (!anywhere && !is_offered(i, *raw.origin))) continue;
    JailTrial& trial = trials.emplace_back();
    trial.jail = &loaded.jail;
    trial.rule = loaded.rule;
    for (f2b::FilterFailure& failure : failures_in(loaded, raw)) {
      trial.matched = true;
      trial.ignored = is_ignored(loaded.jail, failure);
      trial.pattern = loaded.filter->failregex()[failure.pattern].source();
      trial.source = *failure.source;
      trial.user = failure.user;
      if (!trial.ignored) events.push_back(event_of(loaded, failures_.emplace_back(std::move(failure)), raw));
    }
  }
  return trials;
}

std::vector<std::string> JailSet::files() const {
  std::vector<std::string> globs;
  for (const Loaded& loaded : jails_) {
    if (loaded.jail.journal || counts_bans(loaded.jail)) continue;
    for (const f2b::JailLog& log : loaded.jail.logs) globs.push_back(log.pattern);
  }
  return globs;
}

bool JailSet::reads_journal() const {
  return std::ranges::any_of(jails_, [](const Loaded& loaded) { return loaded.jail.journal; });
}

uint64_t JailSet::sessions_evicted() const {
  uint64_t sum = 0;
  for (const Loaded& loaded : jails_) sum += loaded.filter->counters().sessions_evicted;
  return sum;
}

uint64_t JailSet::given_up() const {
  uint64_t sum = 0;
  for (const Loaded& loaded : jails_) sum += loaded.filter->counters().given_up;
  return sum;
}

}  // namespace palang
