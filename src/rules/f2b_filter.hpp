#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"
#include "net/prefix.hpp"
#include "rules/f2b_date_detector.hpp"
#include "rules/f2b_definition.hpp"
#include "rules/f2b_line_buffer.hpp"
#include "rules/f2b_pattern.hpp"
#include "rules/f2b_sessions.hpp"
#include "rules/pattern_set.hpp"

namespace palang::f2b {

// One failure that a filter found. fail2ban counts each as one towards maxretry.
struct FilterFailure {
  WallTime at;                   // by the line; may lie in the future, where the line does
  std::optional<Prefix> source;  // nothing where the filter found a host name or another id: names aren't resolved
  std::string id;                // address, host name or id, as it is written
  std::string user;
  uint32_t attempts = 1;           // lines that make it up
  std::vector<std::string> lines;  // the last of them, each cut to 512 bytes
  std::vector<std::string> users;  // all that the session tried
  size_t pattern = 0;              // index of the failregex
  // Only with Options::every_pattern: all that was captured, and failures that are none (<F-NOFAIL>), or of which
  // nothing says yet who it was.
  Fields fields;
  bool quiet = false;
  bool pending = false;
};

struct FilterCounters {
  uint64_t lines = 0;
  uint64_t cut_lines = 0;         // longer than max_line: the rest wasn't offered to the patterns
  uint64_t given_up = 0;          // searches that took too long
  uint64_t sessions_evicted = 0;  // sessions under way that were forgotten because there were too many
};

// A fail2ban filter at work. How to use it:
//
//   auto filter = Filter::load("/etc/fail2ban", "sshd[mode=aggressive]", LogKind::file);   // or compile(Definition)
//   filter->observe(line, newest, failures);          // a line of a log file, as it is
//   filter->observe_entry(text, at, failures);        // an entry of the journal, text as journal_text() makes it
//
// It has a state: multi-line sessions, the last lines where a filter has maxlines, the place of the date. It is lost
// over a restart, so that a session whose lines stand on both sides of it may count less. One filter is for one stream
// of lines (one jail); it is used by one thread. The same lines with the same times give the same failures.
class Filter {
 public:
  struct Options {
    bool every_pattern = false;  // for tools: go on after the first pattern that matches, and tell what is no failure
    size_t max_sessions = 16'384;
    HashSeed seed = {};
  };
  enum class LogKind : unsigned char { file, journal };

  [[nodiscard]] static Result<Filter> compile(const Definition& definition, Options options);
  [[nodiscard]] static Result<Filter> compile(const Definition& definition) { return compile(definition, Options{}); }
  // `reference`: name of a file in filter.d below `directory`, with options in brackets.
  [[nodiscard]] static Result<Filter> load(const std::string& directory, std::string_view reference, LogKind kind,
                                           Options options);

  // No line is newer than `newest`: it dates those without date or year. Failures are appended.
  void observe(std::string_view line, WallTime newest, std::vector<FilterFailure>& failures);
  void observe_entry(std::string_view text, WallTime at, std::vector<FilterFailure>& failures);

  [[nodiscard]] FilterCounters counters() const;
  // As they stand in the filter, in its order.
  [[nodiscard]] const std::vector<Pattern>& failregex() const { return failregex_; }
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  [[nodiscard]] const std::vector<std::string>& journalmatch() const { return journalmatch_; }

  static constexpr size_t max_line = 8192;  // bytes

 private:
  Filter(DateDetector dates, Options options);

  [[nodiscard]] Result<void> add_patterns(const Definition& definition);
  [[nodiscard]] LogParts part(std::string_view line, WallTime newest);
  void add_prefilter();
  void choose(const Subject& subject);
  void find(const LogParts& parts, WallTime at, std::vector<FilterFailure>& failures);
  [[nodiscard]] bool is_ignored(const Subject& subject);
  [[nodiscard]] bool take_prefix(Subject& subject);
  // Whether the search ends with this pattern.
  [[nodiscard]] bool conclude(size_t index, const MatchedLines& lines, Session current, WallTime at,
                              std::vector<FilterFailure>& failures);
  [[nodiscard]] bool report(size_t index, Session& session, WallTime at, std::vector<FilterFailure>& failures) const;

  Options options_;
  DateDetector dates_;
  std::optional<Pattern> prefregex_;
  std::vector<Pattern> failregex_;
  std::vector<Pattern> ignoreregex_;
  std::vector<std::string> complaints_;
  std::vector<std::string> journalmatch_;
  Sessions sessions_;
  LineBuffer buffer_;
  PatternSet prefilter_;  // of failregex_
  bool has_prefilter_ = false;
  ScanMemory scan_memory_;
  std::vector<uint32_t> candidates_;
  Captures captures_;
  std::string content_;
  Fields prefix_fields_;
  std::string last_time_;
  std::optional<WallTime> last_at_;
  uint64_t lines_ = 0;
  uint64_t cut_lines_ = 0;
};

// The fields of a journal entry that make up the text of a line, as fail2ban's systemd backend does:
// "host identifier[pid]: message". Empty where the entry lacks one.
struct JournalFields {
  std::string_view host;        // _HOSTNAME
  std::string_view identifier;  // SYSLOG_IDENTIFIER, else _COMM
  std::string_view pid;         // SYSLOG_PID, else _PID
  std::string_view message;
};
[[nodiscard]] std::string journal_text(const JournalFields& fields);

}  // namespace palang::f2b
