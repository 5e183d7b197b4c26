#pragma once

#include <memory>
#include <string>

#include "base/fd.hpp"
#include "base/time.hpp"
#include "model/source.hpp"
#include "source/line_splitter.hpp"

namespace palang {

// Lines from standard input or any other descriptor, until its end. A last line without end counts.
class StdinSource final : public Source {
 public:
  // Standard input (a duplicate: the descriptor itself stays as it is). Error: it is closed.
  [[nodiscard]] static Result<std::unique_ptr<StdinSource>> open(const Clock& clock);
  StdinSource(Fd fd, const Clock& clock);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override;  // -1 for what is always readable: a regular file, /dev/null
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // "off=N", bytes of whole lines; for people only, as a stream can't be read again.
  [[nodiscard]] Position position() const override;
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  std::string name_ = "stdin";
  Fd fd_;
  bool always_readable_;
  const Clock& clock_;
  LineSplitter splitter_;
  SourceCounters counters_;
};

}  // namespace palang
