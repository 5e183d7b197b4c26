#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "model/source.hpp"

struct palang_event;
struct ring_buffer;

namespace palang {

// What the program for XDP tells by its ring buffer (struct palang_event): sources that touched the tripwire and were
// banned for it at once, and those that proved at a decoy that they are who they say. The kernel keeps what is not
// read, also while no daemon runs; what finds no room it drops, and counts.
class RingBuffer final : public Source {
 public:
  // The kernel dates events by its own clock.
  using TimeOf = std::function<WallTime(uint64_t jiffies)>;
  // `map` stays the caller's.
  [[nodiscard]] static Result<std::unique_ptr<RingBuffer>> open(int map, TimeOf time_of);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override;
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // The map itself remembers what was read.
  [[nodiscard]] Position position() const override { return {name_, ""}; }
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  struct Close {
    void operator()(ring_buffer* buffer) const;
  };
  explicit RingBuffer(TimeOf time_of) : time_of_(std::move(time_of)) {}
  static int take(void* self, void* data, size_t size);

  std::string name_ = "xdp";
  TimeOf time_of_;
  std::unique_ptr<ring_buffer, Close> buffer_;
  Batch* batch_ = nullptr;  // while read() runs
  SourceCounters counters_;
};

// None: no event that this palang understands.
[[nodiscard]] std::optional<Event> event_of(const palang_event& told, WallTime at);

}  // namespace palang
