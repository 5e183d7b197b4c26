#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/source.hpp"
#include "source/path_watch.hpp"
#include "source/rotated_files.hpp"
#include "source/tailed_file.hpp"

namespace palang {

// Follows the log file at one path, whatever is done to it.
//
// The files of that path form a chain, oldest first; every one is opened as soon as it is seen, so that no rename or
// removal can take it away.
//  - Renamed (rotation): the reader goes on to the next file when that one had data *before* the old one was read to
//    its end, so lines of a writer that changes over stay in order. A writer that still appends to an old file loses
//    nothing: old files stay open and are read first, until `most_old` newer ones are done too, or the file has no name
//    any more and was silent for `silence`.
//  - Truncated (shorter than what was read, or other bytes where it was read): what was not read yet is looked for in a
//    copy (copytruncate), then the file is read from its beginning.
//  - After a restart the files are known by content (FileMark): under a rotated name, as a copy, or as a .gz or .xz.
//    Rotations in between are read in the order of their last change.
class FileTail final : public Source {
 public:
  // Where a file without a stored position is begun; one that appears later is always read from its beginning.
  enum class Start : uint8_t { beginning, end };

  // The path need not exist yet. Error: no inotify.
  [[nodiscard]] static Result<std::unique_ptr<FileTail>> open(std::string path, const Clock& clock, Start start,
                                                              const std::optional<Position>& stored);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override { return watch_.fd(); }
  // Error: a file can't be opened, read or watched; all others are read nevertheless.
  [[nodiscard]] Result<void> read(Batch& batch) override;
  [[nodiscard]] Position position() const override;
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  static constexpr size_t most_old = 3;
  static constexpr Duration silence{10s};

  struct Link {
    TailedFile file;
    int watch = -1;
    bool had_data = false;  // before the present pass over the chain
  };

  FileTail(std::string path, const Clock& clock, Start start, PathWatch watch);

  // Makes the chain end with the file that is at the path now.
  Result<void> look();
  Result<void> follow(bool& changed_again);
  // The files at which the chain was stored; none found and nothing at the path: try again later.
  Result<void> restore(bool path_exists);
  [[nodiscard]] std::optional<TailedFile> find(const FileMark& mark) const;
  // Inserts before `at` (and moves it) the files that were rotated away after that of `mark`, and before those that
  // stand there or are at the path now.
  Result<void> insert_rotated_since(const FileMark& mark, FileId live, size_t& at);
  // Where it is in the chain, also when that file has lost its name by compression; chain_.size() if nowhere.
  [[nodiscard]] size_t place_of(const RotatedFile& candidate) const;
  Result<void> insert(size_t at, TailedFile file);
  void erase(size_t at);
  [[nodiscard]] bool in_chain(FileId id) const;

  Result<void> read_chain(Batch& batch);
  Result<void> begin_again(size_t at);
  void drop_finished(WallTime now);

  std::string path_;
  std::string name_;
  LineOrigin origin_;  // of every line
  const Clock& clock_;
  Start start_;
  PathWatch watch_;
  std::deque<Link> chain_;
  size_t active_ = 0;   // all before are read to their end, but may still grow
  std::string stored_;  // as long as it is not restored
  std::vector<FileMark> restoring_;
  bool names_changed_ = true;
  bool looked_ = false;  // the first file was begun, or there was none
  SourceCounters counters_;
};

}  // namespace palang
