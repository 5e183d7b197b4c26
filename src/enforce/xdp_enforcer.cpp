#include "enforce/xdp_enforcer.hpp"

#include <algorithm>
#include <fstream>

#include "enforce/xdp_word.hpp"

namespace palang {
namespace {

// A round of removing what is over, in seconds in which apply() is called.
constexpr uint32_t portions_per_sweep = 256;
constexpr size_t lookups_ahead = 16;
constexpr uint32_t close_ends = 2;  // units

uint32_t flags_of_word(uint32_t word) {
  return word & ((1U << PALANG_END_SHIFT) - 1);
}

// Of connections that this host opens; the kernel's default where it can't be read.
std::pair<uint16_t, uint16_t> ephemeral_ports() {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  uint16_t from = 0;
  uint16_t to = 0;
  if (range >> from >> to) return {from, to};
  return {32768, 60999};
}

}  // namespace

Result<std::unique_ptr<XdpEnforcer>> XdpEnforcer::open(XdpProgram program, const Policy& policy) {
  auto clock = XdpClock::open(program.clock());
  if (!clock) return Failure(clock.error());
  auto ports = MappedMemory::of(program.map("ports"), PALANG_PORT_SETS * sizeof(palang_port_set), "ports");
  if (!ports) return Failure(ports.error());
  auto hint = MappedMemory::of(program.map("allow_hint"), sizeof(palang_allow_hint), "allow_hint");
  if (!hint) return Failure(hint.error());
  auto table = XdpTable::open(program);
  if (!table) return Failure(table.error());
  std::unique_ptr<XdpEnforcer> enforcer(
      new XdpEnforcer(std::move(program), std::move(*table), *clock, std::move(*ports), std::move(*hint)));
  enforcer->use_policy(policy);
  enforcer->settle_in();
  return enforcer;
}

// From here on the program judges by what its maps hold.
void XdpEnforcer::settle_in() {
  palang_settings& settings = table_.settings();
  std::tie(settings.ephemeral_from, settings.ephemeral_to) = ephemeral_ports();
  settings.hz = clock_.hz();
  settings.unit_shift = clock_.unit_shift();
  std::atomic_ref(settings.abi).store(PALANG_ABI);
}

void XdpEnforcer::use_policy(const Policy& policy) {
  quiet_moves_ = policy.quiet > Duration::zero();
  Duration length = policy.quiet;
  for (uint32_t knock = 1; knock < PALANG_KNOCKS; ++knock) {
    table_.settings().knock_units[knock] = clock_.units_of(std::min(length, policy.at_most));
    length = std::min(length * 2, policy.at_most);
  }
}

// A full ban is moved by the daemon alone, which knows when the source was last proven to be who it says.
uint32_t XdpEnforcer::word_of(const Ban& ban, const XdpClock::Reading& clock) const {
  const uint32_t end = clock.end_at(ban.until) << PALANG_END_SHIFT;
  if (ban.scope == Scope::full) return end | PALANG_FULL;
  if (!quiet_moves_) return end;
  const uint32_t knock = std::min<uint32_t>(ban.knock, PALANG_KNOCKS - 1);
  return end | knock << PALANG_KNOCK_SHIFT;
}

bool XdpEnforcer::agrees(uint32_t present, uint32_t wanted, uint32_t now) const {
  if (flags_of_word(present) != flags_of_word(wanted)) return false;
  const uint32_t have = end_of_word(present);
  const uint32_t want = end_of_word(wanted);
  if (have + close_ends >= want && have <= want + close_ends) return true;
  const uint32_t knock = flags_of_word(present) >> PALANG_KNOCK_SHIFT;
  return knock != 0 && have > want && have <= now + table_.settings().knock_units[knock & (PALANG_KNOCKS - 1)];
}

Result<void> XdpEnforcer::apply(std::span<const Change> changes, WallTime now) {
  const auto clock = clock_.read(now);
  if (!clock) return Failure(clock.error());
  for (const Change& change : changes) {
    const Decision& decision = change.decision;
    const bool stands = change.kind == ChangeKind::added || change.kind == ChangeKind::moved;
    if (stands && decision.until > now) {
      const Ban ban{decision.prefix, decision.scope, decision.until, knock_of(decision.origin, decision.repeat)};
      if (auto done = table_.put(ban.prefix, word_of(ban, *clock), clock->units()); !done) return done;
    } else if (auto done = table_.remove(decision.prefix); !done) {
      return Failure(done.error());
    }
  }
  return table_.sweep(portions_per_sweep, clock->units());
}

Result<ReconcileReport> XdpEnforcer::reconcile(const Intended& intended, Extra extra, WallTime now) {
  const auto clock = clock_.read(now);
  if (!clock) return Failure(clock.error());
  ReconcileReport report;
  report.rebuilt = table_.settings().abi != PALANG_ABI;
  settle_in();
  open_ = intended.open;
  write_ports();
  if (auto done = reconcile_allowed(intended.allowed, *clock, report); !done) return Failure(done.error());
  if (!intended.bans) return report;
  if (auto done = reconcile_bans(*intended.bans, extra, *clock, now, report); !done) return Failure(done.error());
  return report;
}

Result<void> XdpEnforcer::reconcile_bans(std::span<const Ban> bans, Extra extra, const XdpClock::Reading& clock,
                                         WallTime now, ReconcileReport& report) {
  std::vector<WordedBan> missing;
  const bool anything = table_.size() > 0;
  if (!anything) missing.reserve(bans.size());
  uint64_t wanted = 0;
  for (size_t i = 0; i < bans.size(); ++i) {
    if (anything && i + lookups_ahead < bans.size()) table_.prefetch(bans[i + lookups_ahead].prefix);
    const uint32_t word = word_of(bans[i], clock);
    if (bans[i].until <= now) continue;
    ++wanted;
    const uint32_t present = anything ? table_.find(bans[i].prefix).word : 0;
    if (present == 0) {
      missing.push_back({bans[i].prefix, word, 0});
    } else if (!agrees(present, word, clock.units())) {
      ++report.refreshed;
      if (auto done = table_.put(bans[i].prefix, word, clock.units()); !done) return done;
    }
  }
  report.added += missing.size();
  if (auto done = table_.load(missing, clock.units()); !done) return done;
  // All that is wanted is in it: only more than that can be too much.
  if (extra == Extra::keep || table_.size_with_fresh() == wanted) return {};
  return remove_others(bans, now, report);
}

Result<void> XdpEnforcer::remove_others(std::span<const Ban> bans, WallTime now, ReconcileReport& report) {
  std::vector<Prefix> wanted;
  wanted.reserve(bans.size());
  for (const Ban& ban : bans)
    if (ban.until > now) wanted.push_back(ban.prefix);
  std::ranges::sort(wanted);
  const auto present = table_.all();
  if (!present) return Failure(present.error());
  for (const WordedBan& ban : *present) {
    if (std::ranges::binary_search(wanted, ban.prefix)) continue;
    const auto removed = table_.remove(ban.prefix);
    if (!removed) return Failure(removed.error());
    if (*removed) ++report.removed;
  }
  return {};
}

Result<std::vector<Ban>> XdpEnforcer::held(WallTime now) {
  const auto clock = clock_.read(now);
  if (!clock) return Failure(clock.error());
  const auto present = table_.all();
  if (!present) return Failure(present.error());
  std::vector<Ban> bans;
  for (const WordedBan& ban : *present) {
    const uint32_t end = end_of_word(ban.word);
    if (end <= clock->units()) continue;
    bans.push_back({ban.prefix, (ban.word & PALANG_FULL) != 0 ? Scope::full : Scope::quiet, clock->wall_time(end),
                    static_cast<uint8_t>(flags_of_word(ban.word) >> PALANG_KNOCK_SHIFT)});
  }
  return bans;
}

Result<std::vector<Ban>> XdpEnforcer::fresh(WallTime now) {
  const auto clock = clock_.read(now);
  if (!clock) return Failure(clock.error());
  std::vector<Ban> bans;
  for (const WordedBan& ban : table_.fresh())
    if (end_of_word(ban.word) > clock->units())
      bans.push_back({ban.prefix, Scope::quiet, clock->wall_time(end_of_word(ban.word)), 1});
  return bans;
}

WallTime XdpEnforcer::time_of(uint64_t jiffies, WallTime now) {
  const auto clock = clock_.read(now);
  return clock ? clock->time_of(jiffies) : now;
}

Result<std::vector<Hits>> XdpEnforcer::hits(std::span<const Ban> bans) {
  std::vector<Hits> hits;
  for (const Ban& ban : bans)
    if (const palang_ban found = table_.find(ban.prefix); found.word != 0) hits.push_back({ban.prefix, found.hits});
  return hits;
}

Result<void> XdpEnforcer::lift_everything(UnblocksEveryone) {
  std::atomic_ref(table_.settings().abi).store(0);
  return table_.clear();
}

}  // namespace palang
