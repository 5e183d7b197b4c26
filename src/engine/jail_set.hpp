#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.hpp"
#include "model/settings.hpp"
#include "model/source.hpp"
#include "rules/f2b_filter.hpp"
#include "rules/f2b_jails.hpp"

namespace palang {

// What a jail becomes: its name as a rule, and what is counted. "jail:sshd"
[[nodiscard]] RuleSettings settings_of(const f2b::Jail& jail, const BanSettings& ban);

// A jail for repeated offenders: it counts palang's own bans, as fail2ban's log, which it read, is written no more.
[[nodiscard]] bool counts_bans(const f2b::Jail& jail);

// What a jail made of one line, for `palang explain`.
struct JailTrial {
  const f2b::Jail* jail = nullptr;
  Rule rule = Rule::recovered;
  bool matched = false;
  bool ignored = false;      // its source is in the jail's ignoreip
  std::string_view pattern;  // the failregex
  Prefix source;             // an address, or a network
  std::string user;
};

// The jails of a fail2ban configuration at work, each with its unmodified filter. A jail is offered the lines of its
// files, or the journal's entries that its journalmatch lets through. Used by one thread; has a state (see
// f2b::Filter), which a restart loses.
class JailSet {
 public:
  JailSet() = default;

  // Those that can be carried over; for the others a sentence in `faults`.
  [[nodiscard]] static JailSet compile(const f2b::Jails& jails, std::vector<std::string>& faults);

  // Whether any jail reads lines from there.
  [[nodiscard]] bool wants(const LineOrigin& origin);
  // Appends what the jails find; views in the events are valid until the next call. False if no jail reads from there.
  bool match(const RawLine& raw, std::vector<Event>& events);

  // The same, and what each jail that the line is offered to made of it. `anywhere`: it is offered to all of them.
  [[nodiscard]] std::vector<JailTrial> explain(const RawLine& raw, bool anywhere, std::vector<Event>& events);

  [[nodiscard]] size_t size() const { return jails_.size(); }
  [[nodiscard]] std::vector<std::string> files() const;  // globs
  [[nodiscard]] bool reads_journal() const;
  [[nodiscard]] uint64_t given_up() const;
  // Sessions over several lines that were forgotten because there were too many.
  [[nodiscard]] uint64_t sessions_evicted() const;

 private:
  // One term of a journalmatch: "_SYSTEMD_UNIT=sshd.service".
  struct Term {
    std::string field;
    std::string value;
  };
  using Terms = std::vector<Term>;  // all fields of a group must fit, one of the values of each
  struct Loaded {
    f2b::Jail jail;
    std::unique_ptr<f2b::Filter> filter;
    Rule rule = Rule::recovered;
    Proof proof = Proof::application;
    std::vector<Terms> any_of;  // of the journal; empty: every entry
  };

  [[nodiscard]] static std::vector<Terms> read_journalmatch(const std::vector<std::string>& lines);
  [[nodiscard]] static bool fits(const Terms& terms, const LineOrigin& origin);
  [[nodiscard]] static bool reads(const Loaded& loaded, const LineOrigin& origin);
  // Jails for the lines of one file; the last answer is kept, as lines come file by file.
  [[nodiscard]] const std::vector<size_t>& of_file(std::string_view file);
  [[nodiscard]] bool is_offered(size_t jail, const LineOrigin& origin);
  [[nodiscard]] std::vector<f2b::FilterFailure> failures_in(const Loaded& loaded, const RawLine& raw);
  [[nodiscard]] static Event event_of(const Loaded& loaded, const f2b::FilterFailure& failure, const RawLine& raw);
  void take(const Loaded& loaded, const RawLine& raw, std::vector<Event>& events);

  std::vector<Loaded> jails_;
  std::string last_file_;
  std::vector<size_t> of_last_file_;
  std::deque<f2b::FilterFailure> failures_;  // of the last line: events point into them
  std::string text_;
};

}  // namespace palang
