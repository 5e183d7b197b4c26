#include "enforce/xdp_table.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "enforce/xdp_program.hpp"

namespace palang {
namespace {

// So many bans must be gone before it pays to draw the gate anew, and an eighth of all.
constexpr uint64_t least_stale = 4096;

bool is_single4(const Prefix& prefix) {
  return prefix.is_v4() && prefix.is_single();
}

template <size_t N>
bool lists(const __u8 (&lengths)[N], uint32_t count, unsigned length) {
  return std::find(lengths, lengths + std::min<size_t>(count, N), length) != lengths + std::min<size_t>(count, N);
}

// The program may read at any time: first the length, then that there is one more.
template <size_t N>
void list_length(__u8 (&lengths)[N], __u32& count, unsigned length) {
  if (lists(lengths, count, length) || count >= N) return;
  std::atomic_ref(lengths[count]).store(static_cast<__u8>(length));
  std::atomic_ref(count).store(count + 1);
}

Result<void> settle(palang_settings& settings, HashSeed seed) {
  if (settings.abi != 0 && settings.abi != PALANG_ABI)
    return fail("the maps in the kernel are those of another version of palang");
  if (settings.seed_a == 0) {
    settings.seed_b = seed.b;
    settings.seed_a = seed.a | 1;
  }
  return {};
}

}  // namespace

Result<XdpTable> XdpTable::open(const XdpProgram& program) {
  auto settings = MappedMemory::of(program.map("settings"), sizeof(palang_settings), "settings");
  if (!settings) return Failure(settings.error());
  auto budget = MappedMemory::of(program.map("budget"), sizeof(palang_budget), "budget");
  if (!budget) return Failure(budget.error());
  auto& known = *settings->as<palang_settings>();
  if (auto done = settle(known, HashSeed::random()); !done) return Failure(done.error());
  auto gate =
      XdpGate::open({program.map("gate4"), program.map("wide4"), program.map("gate6")}, {known.seed_a, known.seed_b});
  if (!gate) return Failure(gate.error());
  auto pages = XdpPages::open(program.slot("bans4"), known);
  if (!pages) return Failure(pages.error());
  auto nets4 = XdpNets::open(program.slot("nets4"), true);
  if (!nets4) return Failure(nets4.error());
  auto nets6 = XdpNets::open(program.slot("nets6"), false);
  if (!nets6) return Failure(nets6.error());
  XdpTable table(std::move(*settings), std::move(*budget), std::move(*gate), std::move(*pages), std::move(*nets4),
                 std::move(*nets6), program.map("fresh"));
  // In this order: what the program makes meanwhile must count as made and not forgotten.
  const uint64_t made = std::atomic_ref(table.budget_memory_.as<palang_budget>()->made).load();
  table.fresh_forgotten_ = made - table.fresh().size();
  // A palang that was killed between the two stores of a ban left it without its bit.
  const auto present = table.all();
  if (!present) return Failure(present.error());
  for (const WordedBan& ban : *present) {
    if (is_single4(ban.prefix)) {
      table.gate_.add_single4(ban.prefix.address().v4_bits());
    } else {
      table.use_length(ban.prefix);
      table.gate_.add(ban.prefix);
    }
  }
  table.pages_.set_overflowed(table.overflowed());
  return table;
}

Result<void> XdpTable::put(const Prefix& prefix, uint32_t word, uint32_t now) {
  auto done = is_single4(prefix) ? put_single4(prefix, word, now) : put_net(prefix, word);
  if (done) (void)forget_fresh(prefix);
  return done;
}

Result<void> XdpTable::put_single4(const Prefix& prefix, uint32_t word, uint32_t now) {
  const uint32_t address = prefix.address().v4_bits();
  if (pages_.size() >= pages_.comfortable()) {
    auto grown = pages_.grow_for(pages_.size() + 1, now);
    // Without memory for more it goes on, less comfortably, while there is room.
    if (!grown && pages_.size() >= pages_.capacity() / 10 * 9) return grown;
    if (grown)
      if (auto done = bring_back_overflowed(); !done) return done;
  }
  const auto put = pages_.put(address, word);
  if (put == XdpPages::Put::no_room) {
    if (auto done = nets4_.put(prefix, word); !done) return Failure(done.error());
    pages_.set_overflowed(overflowed());
  } else if (put == XdpPages::Put::added_where_full && overflowed() > 0) {
    if (auto done = nets4_.remove(prefix); !done) return Failure(done.error());
    pages_.set_overflowed(overflowed());
  }
  gate_.add_single4(address);
  return {};
}

Result<void> XdpTable::put_net(const Prefix& prefix, uint32_t word) {
  XdpNets& nets = prefix.is_v4() ? nets4_ : nets6_;
  if (auto done = nets.put(prefix, word); !done) return Failure(done.error());
  use_length(prefix);
  gate_.add(prefix);
  return {};
}

void XdpTable::use_length(const Prefix& prefix) {
  palang_settings& known = settings();
  const unsigned length = prefix.length();
  if (prefix.is_v4())
    list_length(known.lengths4, known.lengths4_count, length);
  else if (length >= PALANG_GATED_LENGTH6)
    list_length(known.lengths6, known.lengths6_count, length);
  else
    list_length(known.wide6, known.wide6_count, length);
}

Result<void> XdpTable::bring_back_overflowed() {
  if (overflowed() == 0) return {};
  const auto bans = nets4_.all();
  if (!bans) return Failure(bans.error());
  for (const WordedBan& ban : *bans) {
    if (!ban.prefix.is_single()) continue;
    if (pages_.put(ban.prefix.address().v4_bits(), ban.word) == XdpPages::Put::no_room) continue;
    if (auto done = nets4_.remove(ban.prefix); !done) return Failure(done.error());
  }
  pages_.set_overflowed(overflowed());
  return {};
}

Result<void> XdpTable::make_room(uint64_t singles, uint32_t now) {
  if (pages_.size() + singles <= pages_.comfortable()) return {};
  if (auto done = pages_.grow_for(pages_.size() + singles, now); !done) return done;
  return bring_back_overflowed();
}

Result<void> XdpTable::load(std::span<const WordedBan> bans, uint32_t now) {
  constexpr size_t ahead = 16;  // as many cache misses at a time as the processor can have under way
  std::vector<WordedBan> nets4;
  std::vector<WordedBan> nets6;
  for (const WordedBan& ban : bans)
    if (!is_single4(ban.prefix)) (ban.prefix.is_v4() ? nets4 : nets6).push_back(ban);
  if (auto done = make_room(bans.size() - nets4.size() - nets6.size(), now); !done) return done;
  for (size_t i = 0; i < bans.size(); ++i) {
    if (i + ahead < bans.size()) prefetch(bans[i + ahead].prefix);
    if (!is_single4(bans[i].prefix)) continue;
    if (auto done = put(bans[i].prefix, bans[i].word, now); !done) return done;
  }
  if (auto done = nets4_.load(nets4); !done) return done;
  if (auto done = nets6_.load(nets6); !done) return done;
  for (const auto* nets : {&nets4, &nets6})
    for (const WordedBan& ban : *nets) {
      use_length(ban.prefix);
      gate_.add(ban.prefix);
      (void)forget_fresh(ban.prefix);
    }
  return {};
}

Result<bool> XdpTable::remove(const Prefix& prefix) {
  const bool was_fresh = forget_fresh(prefix);
  bool was_there = false;
  if (is_single4(prefix)) was_there = pages_.remove(prefix.address().v4_bits());
  if (!is_single4(prefix) || (!was_there && overflowed() > 0)) {
    auto removed = (prefix.is_v4() ? nets4_ : nets6_).remove(prefix);
    if (!removed) return removed;
    was_there = *removed;
    if (is_single4(prefix)) pages_.set_overflowed(overflowed());
  }
  if (was_there || was_fresh) ++stale_;
  return was_there || was_fresh;
}

palang_ban XdpTable::find(const Prefix& prefix) const {
  if (!is_single4(prefix)) return (prefix.is_v4() ? nets4_ : nets6_).find(prefix);
  const uint32_t address = prefix.address().v4_bits();
  if (const uint32_t word = pages_.word(address); word != 0) return {word, pages_.hits(address)};
  return overflowed() > 0 ? nets4_.find(prefix) : palang_ban{};
}

Result<std::vector<WordedBan>> XdpTable::all() const {
  std::vector<WordedBan> bans = fresh();
  bans.reserve(bans.size() + size());
  pages_.for_each([&](uint32_t address, uint32_t word, uint32_t hits) {
    bans.push_back({Prefix::of(Address::v4(address)), word, hits});
  });
  for (const XdpNets* nets : {&nets4_, &nets6_}) {
    const auto more = nets->all();
    if (!more) return more;
    bans.insert(bans.end(), more->begin(), more->end());
  }
  return bans;
}

bool XdpTable::forget_fresh(const Prefix& prefix) {
  if (!prefix.is_single()) return false;
  const uint64_t made = std::atomic_ref(budget_memory_.as<palang_budget>()->made).load(std::memory_order_relaxed);
  if (made == fresh_forgotten_) return false;  // spares the system call
  const palang_source key{prefix.address().high(), prefix.address().low()};
  if (bpf_map_delete_elem(fresh_, &key) != 0) return false;
  ++fresh_forgotten_;
  return true;
}

std::vector<WordedBan> XdpTable::fresh() const {
  std::vector<WordedBan> bans;
  palang_source key{};
  palang_source next{};
  for (const palang_source* from = nullptr; bpf_map_get_next_key(fresh_, from, &next) == 0; from = &key) {
    key = next;
    palang_ban ban{};
    if (bpf_map_lookup_elem(fresh_, &key, &ban) != 0) continue;
    bans.push_back({Prefix::of(Address::from_words(key.high, key.low)), ban.word, ban.hits});
    if (bans.size() >= PALANG_FRESH_BANS) break;  // it may change under us
  }
  return bans;
}

Result<void> XdpTable::sweep(uint32_t portions, uint32_t now) {
  if (now == swept_at_) return {};
  swept_at_ = now;
  const auto pages = static_cast<uint32_t>(pages_.bytes() / sizeof(palang_page) / std::max(portions, 1U) + 1);
  stale_ += pages_.sweep(pages, now);
  if (++sweeps_ < portions) return {};
  sweeps_ = 0;
  for (XdpNets* nets : {&nets4_, &nets6_})
    if (auto done = sweep_nets(*nets, now); !done) return done;
  for (const WordedBan& ban : fresh())
    if (ban.word >> PALANG_END_SHIFT <= now && forget_fresh(ban.prefix)) ++stale_;
  pages_.set_overflowed(overflowed());
  if (stale_ < least_stale || stale_ < size() / 8) return {};
  return tidy_gate();
}

Result<void> XdpTable::sweep_nets(XdpNets& nets, uint32_t now) {
  const auto bans = nets.all();
  if (!bans) return Failure(bans.error());
  for (const WordedBan& ban : *bans) {
    if (ban.word >> PALANG_END_SHIFT > now) continue;
    // The program moves only ends that are not past.
    if (auto done = nets.remove(ban.prefix); !done) return Failure(done.error());
    ++stale_;
  }
  return {};
}

Result<void> XdpTable::tidy_gate() {
  auto picture = gate_.picture();
  pages_.for_each([&](uint32_t address, uint32_t, uint32_t) { picture.add_single4(address); });
  for (const XdpNets* nets : {&nets4_, &nets6_}) {
    const auto bans = nets->all();
    if (!bans) return Failure(bans.error());
    for (const WordedBan& ban : *bans) picture.add(ban.prefix);
  }
  gate_.reduce_to(picture);
  for (const WordedBan& ban : fresh()) gate_.add_fresh(ban.prefix.address());
  stale_ = 0;
  return {};
}

Result<void> XdpTable::clear() {
  pages_.clear();
  for (XdpNets* nets : {&nets4_, &nets6_})
    if (auto done = nets->clear(); !done) return done;
  for (const WordedBan& ban : fresh()) (void)forget_fresh(ban.prefix);
  gate_.reduce_to(gate_.picture());
  stale_ = 0;
  return {};
}

uint64_t XdpTable::bytes() const {
  return pages_.bytes() + nets4_.bytes() + nets6_.bytes() + uint64_t{2} * PALANG_GATE4_BYTES + PALANG_GATE6_BYTES;
}

}  // namespace palang
