#include "enforce/xdp_pages.hpp"

#include <linux/bpf.h>

#include <algorithm>

#include "base/prefetch.hpp"

namespace palang {
namespace {

static_assert(sizeof(palang_page) == 4096 && sizeof(palang_page_header) == 4096);

constexpr uint32_t fewest_pages = 16;      // 64 KiB, some 3,000 bans
constexpr uint64_t most_pages = 1U << 22;  // 16 GiB; the program names a slot in 32 bits

uint64_t slot_of(uint32_t address, uint32_t word) {
  return uint64_t{word} << 32 | address;
}
uint32_t end_of(uint64_t slot) {
  return static_cast<uint32_t>(slot >> 32) >> PALANG_END_SHIFT;
}

}  // namespace

Result<XdpPages> XdpPages::create(MapSlot outer, uint32_t pages, HashSeed seed) {
  auto map = create_map({BPF_MAP_TYPE_ARRAY, "palang_pages", sizeof(uint32_t), sizeof(palang_page), pages + 1,
                         BPF_F_MMAPABLE | BPF_F_INNER_MAP});
  if (!map) return Failure(map.error());
  auto memory = MappedMemory::of(map->get(), (size_t{pages} + 1) * sizeof(palang_page), "pages");
  if (!memory) return Failure(memory.error());
  XdpPages created(outer, std::move(*map), std::move(*memory));
  created.header() = {seed.a | 1, seed.b, pages, 0, {}};
  return created;
}

Result<XdpPages> XdpPages::open(MapSlot outer, HashSeed seed) {
  auto present = inner_map(outer);
  if (!present) return Failure(present.error());
  if (*present) {
    const auto facts = facts_of_map(present->get());
    if (!facts) return Failure(facts.error());
    auto memory = MappedMemory::of(present->get(), size_t{facts->entries} * sizeof(palang_page), "pages");
    if (!memory) return Failure(memory.error());
    XdpPages opened(outer, std::move(*present), std::move(*memory));
    if (facts->entries > fewest_pages && opened.header().pages == facts->entries - 1) {
      opened.for_each([&](uint32_t, uint32_t, uint32_t) { ++opened.used_; });
      return opened;
    }
  }
  auto created = create(outer, fewest_pages, seed);
  if (!created) return created;
  if (auto done = replace_inner_map(outer, created->map_.get()); !done) return Failure(done.error());
  return created;
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
  if (found.page != 0 || !has_been_full(first)) return found;
  return in_bucket(first_slot(palang_second(key)), address);
}

void XdpPages::write(Place place, uint32_t address, uint32_t word, uint32_t hits) {
  table()[place.page].hits[place.slot] = hits;
  store(place, slot_of(address, word));
}

XdpPages::Put XdpPages::put(uint32_t address, uint32_t word) {
  return put_with_hits(address, word, 0);
}

XdpPages::Put XdpPages::put_with_hits(uint32_t address, uint32_t word, uint32_t hits) {
  const uint64_t key = hash(address);
  const Place first = first_slot(key);
  Place place = in_bucket(first, address);
  const bool goes_on = place.page == 0 && has_been_full(first);
  const Place second = goes_on ? first_slot(palang_second(key)) : Place{};
  if (goes_on) place = in_bucket(second, address);
  if (place.page != 0) {
    write(place, address, word, hits);
    return Put::replaced;
  }
  const bool both_full = goes_on && has_been_full(second);
  place = room_in_bucket(first);
  // A bucket without room has a ban in its last slot, which tells the program to go on at the second choice.
  if (place.page == 0) place = room_in_bucket(second);
  if (place.page == 0) return Put::no_room;
  write(place, address, word, hits);
  ++used_;
  return both_full ? Put::added_where_full : Put::added;
}

// A bucket that has been full stays marked as such: its bans may be in their second choice.
uint64_t XdpPages::nothing_at(Place place) {
  return place.slot % PALANG_SLOTS == PALANG_SLOTS - 1 ? PALANG_TOMBSTONE : 0;
}

bool XdpPages::free_if_over(Place place, uint32_t now) {
  std::atomic_ref slot(slots(place.page)[place.slot]);
  __u64 seen = slot.load(std::memory_order_relaxed);
  if (!holds_ban(seen) || end_of(seen) > now) return false;
  // The program may just be moving its end.
  if (!slot.compare_exchange_strong(seen, nothing_at(place))) return false;
  --used_;
  return true;
}

bool XdpPages::remove(uint32_t address) {
  const Place place = find(address);
  if (place.page == 0) return false;
  store(place, nothing_at(place));
  --used_;
  return true;
}

uint32_t XdpPages::word(uint32_t address) const {
  const Place place = find(address);
  return place.page == 0 ? 0 : static_cast<uint32_t>(load(slots(place.page)[place.slot]) >> 32);
}

uint32_t XdpPages::hits(uint32_t address) const {
  const Place place = find(address);
  return place.page == 0 ? 0 : std::atomic_ref(table()[place.page].hits[place.slot]).load(std::memory_order_relaxed);
}

void XdpPages::prefetch_bucket(uint32_t address) const {
  const Place first = first_slot(hash(address));
  prefetch(&slots(first.page)[first.slot]);
}

// All bans of the present table in a larger one, which is not in place yet.
Result<XdpPages> XdpPages::larger_copy(uint64_t pages, uint32_t now) const {
  constexpr int most_tries = 4;
  for (int tries = 1;; ++tries, pages += pages / 2) {
    if (pages > most_pages) return fail("the table of bans can't have that many pages");
    auto larger = create(outer_, static_cast<uint32_t>(pages), {header().seed_a, header().seed_b});
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
  uint64_t pages = header().pages;
  while (comfort(pages) < bans) pages += pages / 2;
  // Of a large load that is known beforehand no more is taken than it needs.
  if (bans > comfortable() * 2) pages = std::max<uint64_t>(bans * 20 / 11 / PALANG_PAGE_SLOTS + 1, fewest_pages);
  auto larger = larger_copy(pages, now);
  if (!larger) return Failure(larger.error());
  larger->header().overflowed = header().overflowed;
  if (auto done = replace_inner_map(outer_, larger->map_.get()); !done) return done;
  larger->take_over_from(*this);
  *this = std::move(*larger);
  return {};
}

// What the program wrote into the earlier table until it was replaced: ends that were moved, hits.
void XdpPages::take_over_from(const XdpPages& earlier) {
  earlier.for_each([&](uint32_t address, uint32_t word, uint32_t hits) {
    const Place place = find(address);
    if (place.page == 0) return;
    std::atomic_ref(table()[place.page].hits[place.slot]).fetch_add(hits);
    std::atomic_ref<__u64> slot(slots(place.page)[place.slot]);
    __u64 present = slot.load();
    const __u64 moved = slot_of(address, word);
    while (end_of(present) < end_of(moved) && !slot.compare_exchange_weak(present, moved)) {
    }
  });
}

uint64_t XdpPages::sweep(uint32_t pages, uint32_t now) {
  uint64_t gone = 0;
  for (uint32_t i = 0; i < std::min(pages, header().pages); ++i) {
    swept_ = swept_ >= header().pages ? 1 : swept_ + 1;
    for (uint32_t slot = 0; slot < PALANG_PAGE_SLOTS; ++slot) {
      if (free_if_over({swept_, slot}, now)) ++gone;
    }
  }
  return gone;
}

void XdpPages::clear() {
  for (uint32_t page = 1; page <= header().pages; ++page)
    for (uint32_t slot = 0; slot < PALANG_PAGE_SLOTS; ++slot)
      if (load(slots(page)[slot]) != 0) store({page, slot}, 0);
  used_ = 0;
  set_overflowed(0);
}

}  // namespace palang
