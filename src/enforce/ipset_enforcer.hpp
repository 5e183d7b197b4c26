#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "enforce/ipset_set.hpp"
#include "enforce/ipset_socket.hpp"
#include "enforce/iptables.hpp"
#include "model/enforcer.hpp"

namespace palang {

// What is to happen to one set; all lists are sorted.
struct EntryDifference {
  std::vector<IpsetEntry> fresh;
  std::vector<IpsetEntry> refreshed;
  std::vector<IpsetEntry> extra;
};

// ipset and iptables, for hosts that must keep them: sets whose names begin with "palang-", spoken to by netlink, and
// chains of ours in iptables' table mangle (see Iptables), written by iptables-restore when they are missing only.
// Needs CAP_NET_ADMIN, iptables' older interface CAP_NET_RAW too; works in the network namespace in which it was
// opened.
//
// ipset has no transactions: an error in the middle of a call leaves what was done, additions before removals. It
// counts in whole seconds, rounded up, and to 24 days; who decides longer bans reconciles at least every twelve days.
class IpsetEnforcer final : public Enforcer {
 public:
  // Error: no iptables, no ipset in this kernel, or EPERM.
  [[nodiscard]] static Result<std::unique_ptr<IpsetEnforcer>> open();

  [[nodiscard]] bool uses_legacy_iptables() const { return iptables_.is_legacy(); }

  // Of a prefix that occurs more than once the last change counts.
  [[nodiscard]] Result<void> apply(std::span<const Change> changes, WallTime now) override;
  // Fills sets before rules name them. A set that lacks more than 50,000 entries is filled beside the one in force, and
  // then takes its place.
  [[nodiscard]] Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) override;
  // Linear in the number of bans, as the kernel tells whole sets only: 100,000 take some 60 ms.
  [[nodiscard]] Result<std::vector<Ban>> held(WallTime now) override;
  // What a listing (see held) says that is at most as old as 20 of them take, and 5 s.
  [[nodiscard]] Result<std::vector<Hits>> hits(std::span<const Ban> bans) override;
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone) override;

  // Whether somebody changed what is ours: netlink doesn't tell, so this is to be asked every second or so. Notices
  // missing sets, fewer entries than `bans`, and, every 10 s, changed rules. Reconcile then.
  enum class Damage : uint8_t { none, structure, everything };
  [[nodiscard]] Result<Damage> look(uint64_t bans);

 private:
  using Steady = std::chrono::steady_clock;
  struct CountedPackets {
    Prefix prefix;
    uint64_t packets;
  };
  // The counters of one set, sorted by prefix.
  struct Listing {
    Steady::time_point at;
    Steady::duration took{};
    std::vector<CountedPackets> counters;
  };

  IpsetEnforcer(IpsetSocket sets, Iptables iptables) : sets_(std::move(sets)), iptables_(std::move(iptables)) {}

  [[nodiscard]] Result<bool> build_sets();
  [[nodiscard]] Result<void> replace_set(const IpsetSet& set, std::span<const IpsetEntry> entries,
                                         const CallClock& clock);
  [[nodiscard]] Result<EntryDifference> fill_set(const IpsetSet& set, std::vector<IpsetEntry>& intended, Extra extra,
                                                 const CallClock& clock, ReconcileReport& report);
  [[nodiscard]] Result<void> apply_once(std::span<const Change> changes, const CallClock& clock);
  [[nodiscard]] Result<Listing*> fresh_listing(const IpsetSet& set);
  void forget_counters(const IpsetSet& set, std::span<const IpsetEntry> entries);

  IpsetSocket sets_;
  Iptables iptables_;
  std::vector<Allowed> allowed_;  // of the last reconcile
  PublicPorts open_;
  std::map<std::string, Listing> listings_;
  Steady::time_point rules_looked_at_{};
  Steady::time_point next_look_{};
};

}  // namespace palang
