#include "enforce/xdp_nets.hpp"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>

#include "enforce/xdp_word.hpp"

namespace palang {
namespace {

constexpr uint32_t fewest_nets = 1024;
constexpr size_t nets_at_once = 4096, most_nets_at_once = size_t{1} << 20;
// An entry takes 48 bytes before key and value, in slabs; a bucket 16, and there is one at least per entry.
constexpr uint64_t bytes_per_net = 80, bytes_per_bucket = 16;

// Key of either family, as the map has it.
struct NetKey {
  explicit NetKey(const Prefix& prefix) {
    if (prefix.is_v4()) {
      const palang_net4 key{prefix.address().v4_bits(), prefix.length()};
      std::memcpy(bytes.data(), &key, sizeof key);
    } else {
      const palang_net6 key{prefix.address().high(), prefix.address().low(), prefix.length(), 0};
      std::memcpy(bytes.data(), &key, sizeof key);
    }
  }
  alignas(8) std::array<uint8_t, sizeof(palang_net6)> bytes{};
};

size_t key_size(bool v4) {
  return v4 ? sizeof(palang_net4) : sizeof(palang_net6);
}

Prefix prefix_of(bool v4, const uint8_t* bytes) {
  if (v4) {
    palang_net4 key{};
    std::memcpy(&key, bytes, sizeof key);
    return Prefix::of_length(Address::v4(key.address), key.length);
  }
  palang_net6 key{};
  std::memcpy(&key, bytes, sizeof key);
  return Prefix::around(Address::from_words(key.high, key.low), static_cast<uint8_t>(key.length));
}

}  // namespace

Result<Fd> XdpNets::create(uint32_t entries) const {
  return create_map({BPF_MAP_TYPE_HASH, v4_ ? "palang_nets4" : "palang_nets6", static_cast<uint32_t>(key_size(v4_)),
                     sizeof(palang_ban), entries, BPF_F_NO_PREALLOC});
}

Result<XdpNets> XdpNets::open(MapSlot outer, bool v4) {
  XdpNets nets(std::move(outer), v4);
  auto present = inner_map(nets.outer_);
  if (!present) return Failure(present.error());
  if (*present) {
    const auto facts = facts_of_map(present->get());
    if (!facts) return Failure(facts.error());
    nets.entries_ = facts->entries;
    nets.map_ = std::move(*present);
    const auto bans = nets.all();
    if (!bans) return Failure(bans.error());
    nets.used_ = bans->size();
    for (const WordedBan& ban : *bans) ++nets.by_length_[ban.prefix.length()];
    return nets;
  }
  auto created = nets.create(fewest_nets);
  if (!created) return Failure(created.error());
  if (auto done = replace_inner_map(nets.outer_, created->get()); !done) return Failure(done.error());
  nets.map_ = std::move(*created);
  nets.entries_ = fewest_nets;
  return nets;
}

Result<bool> XdpNets::put(const Prefix& prefix, uint32_t word) {
  if (used_ >= entries_)
    if (auto done = grow_for(used_ + 1); !done) return Failure(done.error());
  const NetKey key(prefix);
  const palang_ban ban{word, 0};
  const bool is_new = find(prefix).word == 0;
  if (bpf_map_update_elem(map_.get(), key.bytes.data(), &ban, BPF_ANY) != 0)
    return fail_os("put into the table of networks", prefix.text(), errno);
  if (is_new) {
    ++used_;
    ++by_length_[prefix.length()];
  }
  return is_new;
}

Result<void> XdpNets::load(std::span<const WordedBan> bans) {
  if (used_ + bans.size() > entries_)
    if (auto done = grow_for(used_ + bans.size()); !done) return done;
  const size_t size = key_size(v4_);
  std::vector<uint8_t> keys;
  std::vector<palang_ban> values;
  for (size_t first = 0; first < bans.size(); first += nets_at_once) {
    const auto portion = bans.subspan(first, std::min(nets_at_once, bans.size() - first));
    keys.assign(portion.size() * size, 0);
    values.clear();
    for (size_t i = 0; i < portion.size(); ++i) {
      std::memcpy(&keys[i * size], NetKey(portion[i].prefix).bytes.data(), size);
      values.push_back({portion[i].word, portion[i].hits});
    }
    auto count = static_cast<uint32_t>(portion.size());
    if (bpf_map_update_batch(map_.get(), keys.data(), values.data(), &count, nullptr) != 0)
      return fail_os("load into", "the table of networks", errno);
    for (const WordedBan& ban : portion) ++by_length_[ban.prefix.length()];
    used_ += portion.size();
  }
  return {};
}

Result<bool> XdpNets::remove(const Prefix& prefix) {
  const NetKey key(prefix);
  if (bpf_map_delete_elem(map_.get(), key.bytes.data()) != 0) {
    if (errno == ENOENT) return false;
    return fail_os("remove from the table of networks", prefix.text(), errno);
  }
  --used_;
  --by_length_[prefix.length()];
  return true;
}

palang_ban XdpNets::find(const Prefix& prefix) const {
  const NetKey key(prefix);
  palang_ban ban{};
  if (bpf_map_lookup_elem(map_.get(), key.bytes.data(), &ban) != 0) return {};
  return ban;
}

Result<std::vector<WordedBan>> XdpNets::all() const {
  std::vector<WordedBan> bans;
  const size_t size = key_size(v4_);
  std::vector<uint8_t> keys(nets_at_once * size);
  std::vector<palang_ban> values(nets_at_once);
  uint32_t cursor = 0;
  uint32_t next = 0;
  const uint32_t* from = nullptr;
  for (;;) {
    auto count = static_cast<uint32_t>(values.size());
    const bool more = bpf_map_lookup_batch(map_.get(), const_cast<uint32_t*>(from), &next, keys.data(), values.data(),
                                           &count, nullptr) == 0;
    if (!more && errno == ENOSPC && values.size() < most_nets_at_once) {  // of one bucket of the hash
      keys.resize(keys.size() * 2);
      values.resize(values.size() * 2);
      continue;
    }
    if (!more && errno != ENOENT) return fail_os("list", "the table of networks", errno);
    for (uint32_t i = 0; i < count; ++i)
      bans.push_back({prefix_of(v4_, &keys[i * size]), values[i].word, values[i].hits});
    if (!more) return bans;
    cursor = next;
    from = &cursor;
  }
}

Result<void> XdpNets::grow_for(uint64_t bans) {
  uint64_t entries = entries_;
  while (entries < bans) entries *= 2;  // the kernel rounds its buckets up to a power of two anyway
  auto present = all();
  if (!present) return Failure(present.error());
  XdpNets larger(outer_, v4_);
  auto created = larger.create(static_cast<uint32_t>(entries));
  if (!created) return Failure(created.error());
  larger.map_ = std::move(*created);
  larger.entries_ = static_cast<uint32_t>(entries);
  for (WordedBan& ban : *present) ban.hits = 0;  // counted on from the earlier table, see below
  if (auto done = larger.load(*present); !done) return done;
  if (auto done = replace_inner_map(outer_, larger.map_.get()); !done) return done;
  const auto earlier = all();
  if (earlier) larger.take_over_from(*earlier);
  *this = std::move(larger);
  return {};
}

// What the program wrote into the earlier table until it was replaced. A knock of the same microseconds may be lost.
void XdpNets::take_over_from(std::span<const WordedBan> earlier) {
  for (const WordedBan& ban : earlier) {
    palang_ban present = find(ban.prefix);
    if (present.word == 0 || (ban.hits == 0 && ban.word == present.word)) continue;
    present.hits += ban.hits;
    if (end_of_word(ban.word) > end_of_word(present.word)) present.word = ban.word;
    const NetKey key(ban.prefix);
    (void)bpf_map_update_elem(map_.get(), key.bytes.data(), &present, BPF_EXIST);
  }
}

uint64_t XdpNets::bytes() const {
  return used_ * bytes_per_net + std::bit_ceil(uint64_t{entries_}) * bytes_per_bucket;
}

Result<void> XdpNets::clear() {
  const auto bans = all();
  if (!bans) return Failure(bans.error());
  for (const WordedBan& ban : *bans)
    if (auto done = remove(ban.prefix); !done) return Failure(done.error());
  return {};
}

}  // namespace palang
