#include "source/ring_buffer.hpp"

#include <bpf/libbpf.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bpf/abi.h"

namespace palang {
namespace {

constexpr size_t most_events = 4096;  // in a batch
constexpr int enough = -ENOBUFS;      // what stops libbpf; any error does

}  // namespace

std::optional<Event> event_of(const palang_event& told, WallTime at) {
  if (told.kind != PALANG_TRIPPED && told.kind != PALANG_PROVEN) return std::nullopt;
  Event event;
  event.at = at;
  event.source = Address::from_words(told.source.high, told.source.low);
  event.port = told.port;
  event.protocol = told.protocol == IPPROTO_TCP   ? Protocol::tcp
                   : told.protocol == IPPROTO_UDP ? Protocol::udp
                                                  : Protocol::other;
  event.proof = told.kind == PALANG_PROVEN ? Proof::handshake : Proof::forgeable;
  event.counted = std::max<uint32_t>(told.count, 1);
  return event;
}

Result<std::unique_ptr<RingBuffer>> RingBuffer::open(int map, TimeOf time_of) {
  std::unique_ptr<RingBuffer> made(new RingBuffer(std::move(time_of)));
  made->buffer_.reset(ring_buffer__new(map, &RingBuffer::take, made.get(), nullptr));
  if (!made->buffer_) return fail_os("open", "the ring buffer of XDP", errno);
  return made;
}

void RingBuffer::Close::operator()(ring_buffer* buffer) const {
  ring_buffer__free(buffer);
}

int RingBuffer::fd() const {
  return ring_buffer__epoll_fd(buffer_.get());
}

int RingBuffer::take(void* self, void* data, size_t size) {
  auto& source = *static_cast<RingBuffer*>(self);
  palang_event told{};
  std::memcpy(&told, data, std::min(size, sizeof told));
  ++source.counters_.lines;
  source.counters_.bytes += size;
  if (size == sizeof told)
    if (auto event = event_of(told, source.time_of_(told.jiffies))) source.batch_->events.push_back(*event);
  return source.batch_->events.size() < most_events ? 0 : enough;
}

Result<void> RingBuffer::read(Batch& batch) {
  batch.clear();
  batch_ = &batch;
  const int done = ring_buffer__consume(buffer_.get());
  batch_ = nullptr;
  batch.more = done == enough;
  if (done < 0 && done != enough) return fail_os("read", "the ring buffer of XDP", -done);
  return {};
}

}  // namespace palang
