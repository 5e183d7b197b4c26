#include "source/file_tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <utility>

#include "base/log.hpp"

namespace palang {
namespace {

// None: nothing is there.
Result<std::optional<FileId>> file_at(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) == 0) return id_of(status);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return fail_os("look at", path, errno);
}

// It begins with all that was read up to `mark`.
bool holds(const RotatedFile& candidate, const FileMark& mark) {
  if (mark.offset == 0) return false;
  Result<TailedFile> file = TailedFile::open(candidate.path);
  return file && file->resume(mark).value_or(false);
}

// A rewritten file (sed -i, an editor) is not a rotated one: shorter than this, and the same content may be chance.
constexpr uint64_t least_rewritten = 4096;

}  // namespace

FileTail::FileTail(std::string path, const Clock& clock, Start start, PathWatch watch)
    : path_(std::move(path)), name_("file:" + path_), clock_(clock), start_(start), watch_(std::move(watch)) {}

Result<std::unique_ptr<FileTail>> FileTail::open(std::string path, const Clock& clock, Start start,
                                                 const std::optional<Position>& stored) {
  Result<PathWatch> watch = PathWatch::create(path);
  if (!watch) return Failure(watch.error());
  std::unique_ptr<FileTail> tail(new FileTail(std::move(path), clock, start, std::move(*watch)));
  if (!stored || stored->value.empty()) return tail;
  Result<std::vector<FileMark>> marks = parse_marks(stored->value);
  if (marks) {
    tail->restoring_ = std::move(*marks);
    tail->stored_ = stored->value;
  } else {
    log_warning(fmt::format("{}: {}; reading it from its beginning", tail->name_, marks.error().text));
  }
  return tail;
}

Position FileTail::position() const {
  if (!restoring_.empty()) return {name_, stored_};
  std::vector<FileMark> marks;
  marks.reserve(chain_.size());
  for (const Link& link : chain_) marks.push_back(link.file.mark());
  return {name_, format_marks(marks)};
}

Result<void> FileTail::read(Batch& batch) {
  batch.clear();
  drop_finished(clock_.now());
  const Result<void> ready = look();
  // Seen before anything is read: a file after the active one that has data now was written after its predecessors.
  for (Link& link : chain_ | std::views::drop(active_))
    link.had_data = link.had_data || link.file.is_archive() || link.file.status().st_size > 0;
  const Result<void> done = read_chain(batch);
  origin_.file = path_;
  for (RawLine& line : batch.lines) line.origin = &origin_;
  if (!done) return done;
  if (batch.lines.empty()) return ready;
  batch.more = batch.more || !ready;  // the error is told when the lines are done
  return {};
}

Result<void> FileTail::read_chain(Batch& batch) {
  const WallTime now = clock_.now();
  for (size_t at = 0; at < chain_.size(); ++at) {
    TailedFile& file = chain_[at].file;
    const bool writer_went_on = std::ranges::any_of(chain_ | std::views::drop(at + 1), &Link::had_data);
    const Result<TailedFile::Read> got = file.read(batch.lines, now, counters_);
    if (!got) {
      if (at >= active_ && !writer_went_on) return Failure(got.error());
      log_error(fmt::format("{}: {}; going on with the next file", name_, got.error().text));
      erase(at--);
      continue;
    }
    if (got->outcome == TailedFile::Outcome::truncated) {
      batch.more = true;
      return begin_again(at);
    }
    if (got->outcome == TailedFile::Outcome::data) {
      batch.more = got->full || at + 1 < chain_.size();
      return {};
    }
    if (at < active_) continue;
    if (!writer_went_on) break;
    ++active_;
  }
  return {};
}

Result<void> FileTail::begin_again(size_t at) {
  if (at + 1 < chain_.size()) {  // not the log itself: nobody reads what an old file was overwritten with
    log_notice(fmt::format("{}: {} was overwritten after it was rotated", name_, chain_[at].file.path()));
    erase(at);
    return {};
  }
  const FileMark mark = chain_[at].file.mark();
  const FileId live = chain_[at].file.id();
  log_notice(fmt::format("{}: truncated, reading it from its beginning", name_));
  if (const Result<void> restarted = chain_[at].file.restart(); !restarted) return restarted;
  chain_[at].had_data = false;
  if (mark.offset == 0) return {};
  std::optional<TailedFile> copy = find(mark);
  if (!copy || copy->id() == live) return {};
  const FileMark found = copy->mark();
  for (size_t old = 0; old < chain_.size(); ++old)
    if (chain_[old].file.id() == found.id) erase(old--);
  size_t place = chain_.size() - 1;
  active_ = std::min(active_, place);
  if (const Result<void> inserted = insert(place++, std::move(*copy)); !inserted) return inserted;
  return insert_rotated_since(found, live, place);
}

void FileTail::drop_finished(WallTime now) {
  for (size_t at = 0; at + 1 < chain_.size();) {
    const TailedFile& file = chain_[at].file;
    const struct stat status = file.status();
    const WallTime changed{std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{changed_ns(status)})};
    const bool gone = status.st_nlink == 0 && now - changed > silence;
    const bool pushed_out = at + most_old < active_;
    if (file.is_archive() ? at < active_ : file.at_end() && (gone || pushed_out)) {
      erase(at);
    } else {
      ++at;
    }
  }
}

Result<void> FileTail::look() {
  names_changed_ = watch_.drain() || names_changed_;
  if (names_changed_)
    if (const Result<void> watched = watch_.watch_names(); !watched) return watched;
  names_changed_ = false;
  const Result<std::optional<FileId>> live = file_at(path_);
  if (!live) return Failure(live.error());
  if (!restoring_.empty())
    if (const Result<void> restored = restore(live->has_value()); !restored) return restored;
  const bool from_end = start_ == Start::end && stored_.empty() && !looked_ && live->has_value();
  if (!live->has_value()) looked_ = true;
  if (!live->has_value() || (!chain_.empty() && chain_.back().file.id() == **live)) return {};
  // Names may change while they are read; a list that was wrong for a moment must not decide the order.
  constexpr int most_attempts = 5;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    bool changed_again = false;
    if (const Result<void> followed = follow(changed_again); !followed) return followed;
    if (!changed_again) break;
  }
  looked_ = true;
  return from_end && !chain_.empty() ? chain_.back().file.skip_to_end() : Result<void>{};
}

Result<void> FileTail::follow(bool& changed_again) {
  Result<TailedFile> live = TailedFile::open(path_);
  if (!live && live.error().os == ENOENT) return {};
  if (!live) return Failure(live.error());
  if (in_chain(live->id())) return {};
  if (chain_.empty()) return insert(0, std::move(*live));
  // It may have been truncated first and rotated then.
  const Result<bool> truncated = chain_.back().file.was_truncated();
  if (truncated && *truncated)
    if (const Result<void> begun = begin_again(chain_.size() - 1); !begun) return begun;
  const TailedFile& newest = chain_.back().file;
  const FileMark mark = newest.mark();
  if (newest.status().st_nlink == 0 && mark.offset >= least_rewritten) {
    const Result<bool> rewritten = live->resume(mark);
    if (!rewritten) return Failure(rewritten.error());
    if (*rewritten) {
      erase(chain_.size() - 1);
      return insert(chain_.size(), std::move(*live));
    }
    live = TailedFile::open(path_);
    if (!live) return Failure(live.error());
  }
  size_t at = chain_.size();
  if (const Result<void> rotated = insert_rotated_since(mark, live->id(), at); !rotated) return rotated;
  if (const Result<void> inserted = insert(at, std::move(*live)); !inserted) return inserted;
  const Result<std::optional<FileId>> now_there = file_at(path_);
  changed_again = now_there && now_there->has_value() && !in_chain(**now_there);
  return {};
}

Result<void> FileTail::insert_rotated_since(const FileMark& mark, FileId live, size_t& at) {
  const std::vector<RotatedFile> siblings = rotated_files_of(path_);
  auto itself = std::ranges::find(siblings, mark.id, &RotatedFile::id);
  if (itself == siblings.end())
    itself = std::ranges::find_if(siblings, [&](const auto& file) { return holds(file, mark); });
  auto candidate = itself != siblings.end() ? std::next(itself) : siblings.begin();
  for (; candidate != siblings.end(); ++candidate) {
    if (!candidate->rotation || candidate->changed_ns < mark.changed_ns) continue;
    const size_t known = place_of(*candidate);
    if (candidate->id == live || (known >= at && known < chain_.size())) break;  // what follows came later
    if (known < at) continue;
    Result<TailedFile> file = TailedFile::open(candidate->path);
    Result<bool> begun = file ? file->resume(FileMark{}) : Failure(file.error());
    if (!begun) {
      log_warning(fmt::format("{}: {}; its lines are missing", name_, begun.error().text));
    } else if (in_chain(file->id()) || file->id() == live) {
      continue;  // renamed since it was listed
    } else if (const Result<void> inserted = insert(at++, std::move(*file)); !inserted) {
      return inserted;
    }
  }
  return {};
}

size_t FileTail::place_of(const RotatedFile& candidate) const {
  const auto link = std::ranges::find_if(chain_, [&](const Link& known) {
    const bool nameless = known.file.status().st_nlink == 0;
    return known.file.id() == candidate.id || (nameless && holds(candidate, known.file.content_mark()));
  });
  return static_cast<size_t>(link - chain_.begin());
}

Result<void> FileTail::restore(bool path_exists) {
  bool newest_found = true;
  for (const FileMark& mark : restoring_) {
    // A file of which nothing was read has no content to know it by: it is found as one that came since.
    if (mark.offset == 0) continue;
    std::optional<TailedFile> file = find(mark);
    newest_found = file.has_value();
    if (!file || in_chain(file->id())) continue;
    if (const Result<void> inserted = insert(chain_.size(), std::move(*file)); !inserted) return inserted;
  }
  if (chain_.empty() && !path_exists) return {};
  if (!newest_found)
    log_warning(
        fmt::format("{}: what was read before the restart is not there any more under any name; lines of the "
                    "meantime may be missing",
                    name_));
  FileMark last = std::exchange(restoring_, {}).back();
  if (!chain_.empty()) return {};
  const Result<std::optional<FileId>> live = file_at(path_);
  if (last.offset == 0) last.id = FileId{};
  size_t at = 0;
  return insert_rotated_since(last, live && *live ? **live : FileId{}, at);
}

std::optional<TailedFile> FileTail::find(const FileMark& mark) const {
  std::vector<RotatedFile> candidates = rotated_files_of(path_);
  if (const auto live = file_at(path_); live && *live) candidates.push_back({path_, **live});
  // The same inode first: it is nearly always right.
  std::ranges::stable_sort(
      candidates, {}, [&](const RotatedFile& file) { return std::pair(file.id.inode != mark.id.inode, file.archive); });
  for (const RotatedFile& candidate : candidates) {
    Result<TailedFile> file = TailedFile::open(candidate.path);
    if (file && file->resume(mark).value_or(false)) return std::move(*file);
  }
  return std::nullopt;
}

bool FileTail::in_chain(FileId id) const {
  return std::ranges::any_of(chain_, [&](const Link& link) { return link.file.id() == id; });
}

Result<void> FileTail::insert(size_t at, TailedFile file) {
  const Result<int> watch = watch_.watch_file(file.fd(), file.path());
  if (!watch) return Failure(watch.error());
  chain_.insert(chain_.begin() + static_cast<std::ptrdiff_t>(at), Link{std::move(file), *watch});
  return {};
}

void FileTail::erase(size_t at) {
  watch_.unwatch(chain_[at].watch);
  chain_.erase(chain_.begin() + static_cast<std::ptrdiff_t>(at));
  if (at < active_) --active_;
}

}  // namespace palang
