#include "source/journal.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <systemd/sd-journal.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"
#include "source/line_splitter.hpp"

namespace palang {
namespace {

constexpr size_t texts_size = size_t{1024} * 1024;
constexpr std::string_view message_field = "MESSAGE=";
constexpr size_t longest_name = 256;  // of a unit, an identifier
constexpr size_t names_of_an_entry = 7;
constexpr uint32_t first_of_people = 1000;  // uids below are those of services (Debian policy, systemd's UIDS-GIDS)

// A session of somebody who logged in, or what it left running.
bool is_of_a_user(std::string_view unit) {
  return (unit.starts_with("session-") && unit.ends_with(".scope")) || unit.starts_with("user@");
}

std::optional<uint32_t> number_in(std::string_view text) {
  uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return number;
}

// sd_journal functions return a negative errno.
Failure fail_journal(std::string_view operation, int status) {
  return fail_os(operation, "the journal", -status);
}

}  // namespace

void Journal::Close::operator()(sd_journal* journal) const {
  sd_journal_close(journal);
}

Journal::Journal(JournalOptions options, std::unique_ptr<sd_journal, Close> journal, int fd)
    : options_(std::move(options)),
      journal_(std::move(journal)),
      fd_(fd),
      texts_(std::make_unique_for_overwrite<char[]>(texts_size)) {}

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options, const std::optional<Position>& stored) {
  sd_journal* opened = nullptr;
  const int status = options.directory.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                                               : sd_journal_open_directory(&opened, options.directory.c_str(), 0);
  if (status < 0) return fail_journal("open", status);
  std::unique_ptr<sd_journal, Close> handle(opened);
  // With services every entry is looked at: which of them are wanted may change, and names with a star no match knows.
  if (!options.services)
    for (const std::string& match : options.matches)
      if (const int added = sd_journal_add_match(handle.get(), match.data(), match.size()); added < 0)
        return fail_journal("match " + match + " in", added);
  // One byte more than is delivered tells a cut line.
  sd_journal_set_data_threshold(handle.get(), message_field.size() + LineSplitter::longest_line + 1);
  const int fd = sd_journal_get_fd(handle.get());
  if (fd < 0) return fail_journal("watch", fd);
  std::unique_ptr<Journal> journal(new Journal(options, std::move(handle), fd));
  if (stored) journal->cursor_ = stored->value;
  if (const Result<void> sought = journal->seek(); !sought) return Failure(sought.error());
  return journal;
}

Result<void> Journal::seek() {
  if (!cursor_.empty()) {
    check_cursor_ = true;
    if (sd_journal_seek_cursor(journal_.get(), cursor_.c_str()) >= 0) return {};
    log_warning(fmt::format("journald: '{}' is not a cursor; reading from the oldest entry", cursor_));
    cursor_.clear();
  }
  check_cursor_ = false;
  const int status = options_.since
                         ? sd_journal_seek_realtime_usec(
                               journal_.get(), static_cast<uint64_t>(options_.since->time_since_epoch().count()))
                         : sd_journal_seek_head(journal_.get());
  if (status < 0) return fail_journal("go to the beginning of", status);
  return {};
}

Result<bool> Journal::step() {
  int status = sd_journal_next(journal_.get());
  if (status > 0 && check_cursor_) {
    check_cursor_ = false;
    const int same = sd_journal_test_cursor(journal_.get(), cursor_.c_str());
    if (same < 0) return fail_journal("compare a cursor of", same);
    if (same > 0) {
      status = sd_journal_next(journal_.get());
    } else {
      log_notice("journald: the last entry read is not in the journal any more; going on with the next one there is");
    }
  }
  if (status < 0) return fail_journal("read", status);
  return status > 0;
}

std::string_view Journal::keep(std::string_view text) {
  char* const kept = texts_.get() + used_;
  std::memcpy(kept, text.data(), text.size());
  used_ += text.size();
  return {kept, text.size()};
}

std::string_view Journal::field(const char* name) {
  const void* data = nullptr;
  size_t size = 0;
  if (sd_journal_get_data(journal_.get(), name, &data, &size) < 0) return {};
  std::string_view text(static_cast<const char*>(data), size);
  text.remove_prefix(std::min(text.find('=') + 1, text.size()));
  return keep(text.substr(0, longest_name));
}

bool Journal::is_of_kernel() {
  for (const std::string& match : options_.matches) {
    const size_t equals = match.find('=');
    if (field(match.substr(0, equals).c_str()) != match.substr(equals + 1)) return false;
  }
  return true;
}

const LineOrigin* Journal::wanted_origin() {
  LineOrigin origin;
  origin.transport = field("_TRANSPORT");
  if (origin.transport == "kernel") return nullptr;
  origin.identifier = field("SYSLOG_IDENTIFIER");
  origin.comm = field("_COMM");
  if (origin.identifier.empty()) origin.identifier = origin.comm;
  origin.unit = field("_SYSTEMD_UNIT");
  if (!options_.services(origin)) return nullptr;
  origin.pid = field("_PID");
  origin.uid = number_in(field("_UID"));
  if (origin.uid != 0U && (is_of_a_user(origin.unit) || !origin.uid || *origin.uid >= first_of_people)) return nullptr;
  return &origins_.emplace_back(origin);
}

Result<void> Journal::take(Batch& batch) {
  if (!options_.services) return take_message(batch, Framing::kernel, nullptr);
  const size_t before = used_;
  if (options_.kernel && is_of_kernel()) {
    used_ = before;
    return take_message(batch, Framing::kernel, nullptr);
  }
  used_ = before;
  if (const LineOrigin* origin = wanted_origin()) return take_message(batch, Framing::message, origin);
  used_ = before;
  return {};
}

Result<void> Journal::take_message(Batch& batch, Framing framing, const LineOrigin* origin) {
  const void* data = nullptr;
  size_t size = 0;
  const int status = sd_journal_get_data(journal_.get(), "MESSAGE", &data, &size);
  if (status == -ENOENT) return {};
  uint64_t microseconds = 0;
  const int timed = status < 0 ? status : sd_journal_get_realtime_usec(journal_.get(), &microseconds);
  if (timed < 0) return fail_journal("read an entry of", timed);
  std::string_view text(static_cast<const char*>(data), size);
  if (text.starts_with(message_field)) text.remove_prefix(message_field.size());
  if (text.size() > LineSplitter::longest_line) {
    text = text.substr(0, LineSplitter::longest_line);
    ++counters_.cut_lines;
  }
  counters_.bytes += text.size();
  ++counters_.lines;
  // Kept, since the library's memory is valid only until its next call.
  batch.lines.push_back({keep(text), framing, WallTime{Duration{static_cast<int64_t>(microseconds)}}, origin});
  return {};
}

Result<void> Journal::remember_cursor() {
  char* cursor = nullptr;
  const int status = sd_journal_get_cursor(journal_.get(), &cursor);
  if (status < 0) return fail_journal("ask for the cursor of", status);
  const std::unique_ptr<char, decltype(&std::free)> owned(cursor, std::free);
  cursor_ = cursor;
  return {};
}

Result<void> Journal::read(Batch& batch) {
  constexpr size_t most_entries = 8192;
  batch.clear();
  used_ = 0;
  origins_.clear();
  // Takes note of new, rotated and removed files too; the place in the journal stays.
  if (const int processed = sd_journal_process(journal_.get()); processed < 0) return fail_journal("follow", processed);
  for (size_t entries = 0;; ++entries) {
    if (texts_size - used_ < LineSplitter::longest_line + names_of_an_entry * longest_name || entries == most_entries) {
      batch.more = true;
      break;
    }
    const Result<bool> stepped = step();
    if (!stepped && batch.lines.empty()) return Failure(stepped.error());
    if (!stepped || !*stepped) break;
    if (const Result<void> taken = take(batch); !taken)
      log_warning(fmt::format("journald: {}; this entry is passed over", taken.error().text));
  }
  if (!batch.lines.empty())
    if (const Result<void> remembered = remember_cursor(); !remembered)
      log_warning(fmt::format("journald: {}; after a restart some lines would be read twice", remembered.error().text));
  return {};
}

}  // namespace palang
