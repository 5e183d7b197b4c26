#include "enforce/xdp_pages.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/prefetch.hpp"

namespace palang {
namespace {

static_assert(sizeof(palang_page) == 4096);

constexpr uint64_t most_pages = uint64_t{PALANG_MOST_SEGMENTS} * PALANG_SEGMENT_PAGES;  // 512 MiB, 26 million bans
constexpr size_t segment_bytes = PALANG_SEGMENT_PAGES * sizeof(palang_page);

uint64_t slot_of(uint32_t address, uint32_t word) {
  return uint64_t{word} << 32 | address;
}
uint32_t end_of(uint64_t slot) {
  return static_cast<uint32_t>(slot >> 32) >> PALANG_END_SHIFT;
}

uint32_t first_segment(uint64_t table) {
  return (table & PALANG_SECOND_TABLE) != 0 ? PALANG_MOST_SEGMENTS : 0;
}
uint32_t segments_of(uint64_t table) {
  return static_cast<uint32_t>(table) / PALANG_SEGMENT_PAGES;
}

// All at once: one by one, the kernel would wait for a grace period each time.
Result<void> write_segments(int map, uint32_t first, const std::vector<int>& segments) {
  std::vector<uint32_t> places(segments.size());
  for (uint32_t i = 0; i < places.size(); ++i) places[i] = first + i;
  auto count = static_cast<uint32_t>(segments.size());
  if (bpf_map_update_batch(map, places.data(), segments.data(), &count, nullptr) == 0) return {};
  if (errno != EOPNOTSUPP && errno != EINVAL && errno != 524 /* ENOTSUPP */)
    return fail_os("put in place", "a larger table of bans", errno);
  for (size_t i = 0; i < segments.size(); ++i)
    if (bpf_map_update_elem(map, &places[i], &segments[i], BPF_ANY) != 0)
      return fail_os("put in place", "a larger table of bans", errno);
  return {};
}

// Until no processor runs a program that began before.
void wait_for_programs() {
  (void)::syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

}  // namespace

Result<XdpPages> XdpPages::create(MapSlot segments, palang_settings& settings, uint64_t pages) {
  const uint64_t count = std::max<uint64_t>((pages + PALANG_SEGMENT_PAGES - 1) / PALANG_SEGMENT_PAGES, 1);
  if (count > PALANG_MOST_SEGMENTS) return fail("the table of bans can't grow beyond 26 million");
  auto memory = MappedMemory::reserve(count * segment_bytes);
  if (!memory) return Failure(memory.error());
  const uint64_t other = ~settings.table & PALANG_SECOND_TABLE;
  const uint64_t table = other | (count * PALANG_SEGMENT_PAGES);
  std::vector<Fd> owned;
  std::vector<int> fds;
  for (uint64_t i = 0; i < count; ++i) {
    auto segment = create_map({BPF_MAP_TYPE_ARRAY, "palang_pages", sizeof(uint32_t), sizeof(palang_page),
                               PALANG_SEGMENT_PAGES, BPF_F_MMAPABLE});
    if (!segment) return Failure(segment.error());
    if (auto done = memory->put(segment->get(), i * segment_bytes, segment_bytes); !done) return Failure(done.error());
    fds.push_back(segment->get());
    owned.push_back(std::move(*segment));
  }
  // Nothing looks there yet, so the pins may come first.
  for (uint32_t i = 0; i < fds.size(); ++i)
    if (auto done = pin_inner_map(segments, first_segment(table) + i, fds[i]); !done) return Failure(done.error());
  if (auto done = write_segments(segments.outer, first_segment(table), fds); !done) return Failure(done.error());
  return XdpPages(std::move(segments), settings, std::move(*memory), table);
}

Result<XdpPages> XdpPages::open(MapSlot segments, palang_settings& settings) {
  const uint64_t table = settings.table & ~PALANG_OVERFLOWED;
  if (table == 0) {
    auto created = create(segments, settings, 1);
    if (created) created->put_in_force();
    return created;
  }
  auto memory = MappedMemory::reserve(segments_of(table) * segment_bytes);
  if (!memory) return Failure(memory.error());
  for (uint32_t i = 0; i < segments_of(table); ++i) {
    const auto segment = inner_map(segments, first_segment(table) + i);
    if (!segment) return Failure(segment.error());
    if (auto done = memory->put(segment->get(), i * segment_bytes, segment_bytes); !done) return Failure(done.error());
  }
  XdpPages opened(std::move(segments), settings, std::move(*memory), table);
  opened.for_each([&](uint32_t, uint32_t, uint32_t) { ++opened.used_; });
  return opened;
}

void XdpPages::put_in_force() {
  const uint64_t overflowed = settings_->table & PALANG_OVERFLOWED;
  std::atomic_ref(settings_->table).store(table_ | overflowed);
}

void XdpPages::set_overflowed(uint64_t bans) {
  std::atomic_ref(settings_->table).store(table_ | (bans > 0 ? PALANG_OVERFLOWED : 0));
}

// Gives back the memory of a table that is no longer in force: its places get the first segment of this one.
Result<void> XdpPages::forget(const XdpPages& earlier) const {
  const auto first = inner_map(segments_, first_segment(table_));
  if (!first) return Failure(first.error());
  for (uint32_t i = 0; i < segments_of(earlier.table_); ++i)
    unpin_inner_map(segments_, first_segment(earlier.table_) + i);
  const std::vector<int> instead(segments_of(earlier.table_), first->get());
  return write_segments(segments_.outer, first_segment(earlier.table_), instead);
}

XdpPages::Place XdpPages::in_bucket(Place bucket, uint32_t address) const {
  const __u64* const all = slots(bucket.page);
  for (uint32_t i = 0; i < PALANG_SLOTS; ++i) {
    const uint64_t slot = load(all[bucket.slot + i]);
    if (static_cast<uint32_t>(slot) == address && holds_ban(slot)) return {bucket.page, bucket.slot + i};
  }
  return {};
}

XdpPages::Place XdpPages::room_in_bucket(Place bucket) const {
  const __u64* const all = slots(bucket.page);
  for (uint32_t i = 0; i < PALANG_SLOTS; ++i)
    if (!holds_ban(load(all[bucket.slot + i]))) return {bucket.page, bucket.slot + i};
  return {};
}

XdpPages::Place XdpPages::find(uint32_t address) const {
  const uint64_t key = hash(address);
  const Place first = first_slot(key);
  const Place found = in_bucket(first, address);
  if (found || !has_been_full(first)) return found;
  return in_bucket(first_slot(palang_second(key)), address);
}

void XdpPages::write(Place place, uint32_t address, uint32_t word, uint32_t hits) {
  page(place.page)->hits[place.slot] = hits;
  store(place, slot_of(address, word));
}

XdpPages::Put XdpPages::put(uint32_t address, uint32_t word) {
  return put_with_hits(address, word, 0);
}

XdpPages::Put XdpPages::put_with_hits(uint32_t address, uint32_t word, uint32_t hits) {
  const uint64_t key = hash(address);
  const Place first = first_slot(key);
  Place place = in_bucket(first, address);
  const bool goes_on = !place && has_been_full(first);
  const Place second = goes_on ? first_slot(palang_second(key)) : Place{};
  if (goes_on) place = in_bucket(second, address);
  if (place) {
    write(place, address, word, hits);
    return Put::replaced;
  }
  const bool both_full = goes_on && has_been_full(second);
  place = room_in_bucket(first);
  // A bucket without room has a ban in its last slot, which tells the program to go on at the second choice.
  if (!place) place = room_in_bucket(second);
  if (!place) return Put::no_room;
  write(place, address, word, hits);
  ++used_;
  return both_full ? Put::added_where_full : Put::added;
}

// A bucket that has been full stays marked as such: its bans may be in their second choice.
uint64_t XdpPages::nothing_at(Place place) {
  return place.slot % PALANG_SLOTS == PALANG_SLOTS - 1 ? PALANG_TOMBSTONE : 0;
}

bool XdpPages::free_if_over(Place place, uint32_t now) {
  const std::atomic_ref slot(slots(place.page)[place.slot]);
  __u64 seen = slot.load(std::memory_order_relaxed);
  if (!holds_ban(seen) || end_of(seen) > now) return false;
  // The program may just be moving its end.
  if (!slot.compare_exchange_strong(seen, nothing_at(place))) return false;
  --used_;
  return true;
}

bool XdpPages::remove(uint32_t address) {
  const Place place = find(address);
  if (!place) return false;
  store(place, nothing_at(place));
  --used_;
  return true;
}

uint32_t XdpPages::word(uint32_t address) const {
  const Place place = find(address);
  return !place ? 0 : static_cast<uint32_t>(load(slots(place.page)[place.slot]) >> 32);
}

uint32_t XdpPages::hits(uint32_t address) const {
  const Place place = find(address);
  return !place ? 0 : std::atomic_ref(page(place.page)->hits[place.slot]).load(std::memory_order_relaxed);
}

void XdpPages::prefetch_bucket(uint32_t address) const {
  const Place first = first_slot(hash(address));
  prefetch(&slots(first.page)[first.slot]);
}

// All bans of the present table in a larger one, which is not in force yet.
Result<XdpPages> XdpPages::larger_copy(uint64_t pages, uint32_t now) const {
  constexpr int most_tries = 4;
  for (int tries = 1;; ++tries, pages += pages / 2) {
    auto larger = create(segments_, *settings_, pages);
    if (!larger) return larger;
    bool all_in = true;
    for_each([&](uint32_t address, uint32_t word, uint32_t) {
      if (end_of(slot_of(address, word)) > now) all_in &= larger->put(address, word) != Put::no_room;
    });
    if (all_in) return larger;
    if (tries == most_tries) return fail("a larger table of bans has no room for them all");
  }
}

Result<void> XdpPages::grow_for(uint64_t bans, uint32_t now) {
  uint64_t wanted = pages();
  while (comfort(wanted) < bans && wanted < most_pages) wanted += wanted / 2;
  // Of a large load that is known beforehand no more is taken than it needs.
  if (bans > comfortable() * 2) wanted = bans * 7 / 4 / page_slots + 1;
  auto larger = larger_copy(std::min(wanted, most_pages), now);
  if (!larger) return Failure(larger.error());
  larger->put_in_force();
  wait_for_programs();
  larger->take_over_from(*this);
  auto forgotten = larger->forget(*this);
  *this = std::move(*larger);
  return forgotten;
}

// What the program wrote into the earlier table until it was replaced: ends that were moved, hits.
void XdpPages::take_over_from(const XdpPages& earlier) {
  earlier.for_each([&](uint32_t address, uint32_t word, uint32_t hits) {
    const Place place = find(address);
    if (!place) return;
    std::atomic_ref(page(place.page)->hits[place.slot]).fetch_add(hits);
    const std::atomic_ref<__u64> slot(slots(place.page)[place.slot]);
    __u64 present = slot.load();
    const __u64 moved = slot_of(address, word);
    while (end_of(present) < end_of(moved) && !slot.compare_exchange_weak(present, moved)) {
    }
  });
}

uint64_t XdpPages::sweep(uint32_t portion, uint32_t now) {
  uint64_t gone = 0;
  for (uint32_t i = 0; i < std::min(portion, pages()); ++i) {
    swept_ = swept_ + 1 >= pages() ? 0 : swept_ + 1;
    for (uint32_t slot = 0; slot < PALANG_PAGE_SLOTS; ++slot) {
      if (free_if_over({swept_, slot}, now)) ++gone;
    }
  }
  return gone;
}

void XdpPages::clear() {
  for (uint32_t number = 0; number < pages(); ++number)
    for (uint32_t slot = 0; slot < PALANG_PAGE_SLOTS; ++slot)
      if (load(slots(number)[slot]) != 0) store({number, slot}, 0);
  used_ = 0;
  set_overflowed(0);
}

}  // namespace palang
