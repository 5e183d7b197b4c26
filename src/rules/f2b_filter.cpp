#include "rules/f2b_filter.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "rules/f2b_date_fields.hpp"
#include "rules/f2b_tags.hpp"

namespace palang::f2b {

namespace {

// A line without a date is as old as the one before, if that was dated within this time.
constexpr Duration date_holds = std::chrono::minutes{1};

std::string field_or_empty(const Fields& fields, std::string_view name) {
  const auto field = fields.find(name);
  return field == fields.end() ? "" : field->second;
}

std::optional<Prefix> prefix_of(std::string_view text, std::string_view length) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto address = Address::parse(text);
  if (!address) return std::nullopt;
  if (length.empty()) return Prefix::of(*address);
  unsigned bits = 0;
  const auto read = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (read.ec != std::errc{} || read.ptr != length.data() + length.size()) return std::nullopt;
  // An IPv4 address in its v4-mapped form has its length there, too.
  const bool mapped = address->is_v4() && text.find(':') != std::string_view::npos && bits >= 96;
  if (mapped) bits -= 96;
  if (bits > (address->is_v4() ? 32U : 128U)) return std::nullopt;
  return Prefix::of_length(*address, bits);
}

}  // namespace

Filter::Filter(DateDetector dates, Options options)
    : options_(options), dates_(std::move(dates)), sessions_(options.max_sessions, options.seed), buffer_(1) {}

Result<Filter> Filter::compile(const Definition& definition, Options options) {
  std::optional<int> zone;
  if (!definition.logtimezone.empty()) {
    zone = zone_minutes(definition.logtimezone);
    if (!zone) return fail("the time zone \"" + escape_controls(definition.logtimezone) + "\" is none that is known");
  }
  auto dates = DateDetector::make(definition.datepattern, zone);
  if (!dates) return fail("filter " + definition.name + ": " + dates.error().text);
  Filter filter(std::move(*dates), options);
  filter.buffer_ = LineBuffer(definition.maxlines);
  filter.complaints_ = definition.complaints;
  filter.journalmatch_ = definition.journalmatch;
  const auto added = filter.add_patterns(definition);
  if (!added) return fail("filter " + definition.name + ": " + added.error().text);
  return filter;
}

Result<void> Filter::add_patterns(const Definition& definition) {
  const Pattern::Options plain{.names = definition.usedns != "no"};
  Pattern::Options searched = plain;
  searched.multiline = buffer_.is_multiline();
  // "/etc/fail2ban/filter.d/sshd.conf:12: failregex: …"
  const auto refuse = [&](const std::string& option, const std::string& why) {
    const auto place = definition.places.find(option);
    return fail((place == definition.places.end() ? "" : place->second + ": ") + option + ": " + why);
  };
  if (!strip(definition.prefregex).empty()) {
    auto pattern = Pattern::compile(definition.prefregex, plain);
    if (!pattern) return refuse("prefregex", pattern.error().text);
    prefregex_ = std::move(*pattern);
  }
  for (const std::string& text : definition.failregex) {
    auto pattern = Pattern::compile(text, searched);
    if (!pattern) return refuse("failregex", pattern.error().text);
    if (!pattern->names_someone() && !(prefregex_ && prefregex_->names_someone()))
      return refuse("failregex",
                    "the pattern \"" + escape_controls(text) + "\" has no <HOST> or other tag that says who failed");
    failregex_.push_back(std::move(*pattern));
  }
  add_prefilter();
  for (const std::string& text : definition.ignoreregex) {
    auto pattern = Pattern::compile(text, plain);
    if (!pattern) return refuse("ignoreregex", pattern.error().text);
    ignoreregex_.push_back(std::move(*pattern));
  }
  return {};
}

// Compiling a prefilter takes up to some tenths of a second, and few patterns are searched as fast as it.
void Filter::add_prefilter() {
  constexpr size_t worth_it = 5;
  has_prefilter_ = failregex_.size() >= worth_it && !buffer_.is_multiline();
  if (!has_prefilter_) return;
  std::vector<PatternSet::Pattern> patterns;
  for (const Pattern& pattern : failregex_) patterns.push_back({.text = pattern.coarse()});
  prefilter_ = PatternSet::compile(patterns);
}

Result<Filter> Filter::load(const std::string& directory, std::string_view reference, LogKind kind, Options options) {
  auto named = read_reference(reference);
  if (!named) return std::unexpected(named.error());
  const auto file = FilterFile::read(directory, named->name);
  if (!file) return std::unexpected(file.error());
  if (!named->options.contains("logtype") && !file->says_logtype())
    named->options["logtype"] = kind == LogKind::journal ? "journal" : "file";
  const auto combined = file->combine({}, named->options, false);
  if (!combined) return std::unexpected(combined.error());
  return compile(file->define(*combined, {}), options);
}

FilterCounters Filter::counters() const {
  return {.lines = lines_,
          .cut_lines = cut_lines_,
          .given_up = captures_.given_up(),
          .sessions_evicted = sessions_.evicted()};
}

// Cuts the date out of the line, and sets last_at_ to what it says.
LogParts Filter::part(std::string_view line, WallTime newest) {
  const auto found = dates_.find(line, captures_, newest);
  LogParts parts{.before = "", .date = "", .after = line};
  if (found)
    parts = {line.substr(0, found->begin), line.substr(found->begin, found->end - found->begin),
             line.substr(found->end)};
  if (found && found->at) {
    last_at_ = found->at;
    last_time_ = parts.date;
  } else if (last_at_ && *last_at_ > newest - date_holds) {
    parts = {.before = "", .date = last_time_, .after = line};
  } else {
    last_at_.reset();
  }
  return parts;
}

void Filter::observe(std::string_view line, WallTime newest, std::vector<FilterFailure>& failures) {
  ++lines_;
  if (line.size() > max_line) {
    ++cut_lines_;
    line = line.substr(0, max_line);
  }
  const LogParts parts = part(line, newest);
  find(parts, last_at_.value_or(newest), failures);
}

void Filter::observe_entry(std::string_view text, WallTime at, std::vector<FilterFailure>& failures) {
  ++lines_;
  if (text.size() > max_line) {
    ++cut_lines_;
    text = text.substr(0, max_line);
  }
  last_at_ = at;
  find({.before = "", .date = "", .after = text}, at, failures);
}

bool Filter::is_ignored(const Subject& subject) {
  return std::ranges::any_of(ignoreregex_, [&](Pattern& pattern) { return pattern.search(subject, captures_); });
}

// Where the filter has a prefregex, the line must match it; what <F-CONTENT> captures is searched in place of the line.
bool Filter::take_prefix(Subject& subject) {
  prefix_fields_.clear();
  if (!prefregex_) return true;
  if (!prefregex_->search(subject, captures_)) return false;
  prefregex_->update(captures_, prefix_fields_);
  const auto content = prefix_fields_.find("content");
  if (content == prefix_fields_.end()) return true;
  if (!content->second.empty()) {
    content_.assign(content->second).append("\n");
    subject = {content_, is_wide_utf8(content_)};
  }
  prefix_fields_.erase(content);
  return true;
}

// Which patterns may match. Where lines leave the subject as it is searched, or letters beyond ASCII count, all may.
void Filter::choose(const Subject& subject) {
  if (has_prefilter_ && !subject.utf) return prefilter_.candidates(subject.text, scan_memory_, candidates_);
  candidates_.resize(failregex_.size());
  for (uint32_t index = 0; index < candidates_.size(); ++index) candidates_[index] = index;
}

void Filter::find(const LogParts& parts, WallTime at, std::vector<FilterFailure>& failures) {
  buffer_.add(parts);
  // Whichever is fewer is searched first.
  if (!ignoreregex_.empty() && ignoreregex_.size() + 2 < failregex_.size() && is_ignored(buffer_.subject())) return;
  Subject subject = buffer_.subject();
  if (!take_prefix(subject)) return;
  choose(subject);
  // A line that is made to cost time gets no more of it than two patterns may take.
  const uint64_t enough = captures_.given_up() + 2;
  for (const uint32_t index : candidates_) {
    if (captures_.given_up() >= enough) return;
    Pattern& pattern = failregex_[index];
    if (!pattern.search(subject, captures_)) continue;
    const auto matched = buffer_.matched(subject, pattern, captures_);
    Session current;
    current.fields = prefix_fields_;
    pattern.update(captures_, current.fields);
    const bool ignored =
        !ignoreregex_.empty() &&
        is_ignored(buffer_.is_multiline() ? Subject{matched.text, is_wide_utf8(matched.text)} : subject);
    if (buffer_.is_multiline()) {
      buffer_.drop(matched);
      subject = buffer_.subject();
    }
    if (ignored) {
      if (!options_.every_pattern) return;
      continue;
    }
    current.since = at;
    if (conclude(index, matched.lines, std::move(current), at, failures) && !options_.every_pattern) return;
  }
}

bool Filter::conclude(size_t index, const MatchedLines& lines, Session current, WallTime at,
                      std::vector<FilterFailure>& failures) {
  const auto id = current.fields.find("mlfid");
  if (id == current.fields.end()) {
    current.matches = lines;
    return report(index, current, at, failures);
  }
  const std::string session_id = id->second;
  std::unique_ptr<Session>& session = sessions_.of(session_id, at);
  const bool keep = merge_session(session, std::move(current), lines);
  const bool done = report(index, *session, at, failures);
  if (!keep) sessions_.forget(session_id);
  return done;
}

bool Filter::report(size_t index, Session& session, WallTime at, std::vector<FilterFailure>& failures) const {
  const Fields& fields = session.fields;
  FilterFailure failure;
  failure.quiet = is_set(fields, "nofail");
  if (failure.quiet && !options_.every_pattern) return true;
  const std::string own_id = field_or_empty(fields, "fid");
  for (const std::string_view name : {"ip4", "ip6", "dns", "fid"}) {
    const auto field = fields.find(name);
    if (field == fields.end()) continue;
    failure.id = field->second;
    break;
  }
  if (failure.id.empty()) {
    if (!fields.contains("mlfid")) return false;
    session.pending = true;
    failure.pending = true;
    if (!options_.every_pattern) return true;
  }
  failure.source = prefix_of(failure.id, field_or_empty(fields, "cidr"));
  // A filter may count by something else than the address.
  if (!own_id.empty()) failure.id = own_id;
  failure.at = at;
  failure.user = field_or_empty(fields, "user");
  failure.attempts = session.matches.count;
  failure.lines = session.matches.last;
  failure.users.assign(session.users.begin(), session.users.end());
  if (options_.every_pattern) failure.fields = fields;
  failure.pattern = index;
  failures.push_back(std::move(failure));
  return true;
}

std::string journal_text(const JournalFields& fields) {
  std::string text(fields.host);
  if (!fields.identifier.empty()) {
    if (!text.empty()) text += ' ';
    text.append(fields.identifier);
    if (!fields.pid.empty()) text.append("[").append(fields.pid).append("]");
    text += ':';
  }
  if (!text.empty()) text += ' ';
  for (const char byte : fields.message) {
    if (byte == '\n') {
      text += "\\n";
    } else {
      text += byte;
    }
  }
  return text;
}

}  // namespace palang::f2b
