#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/xdp_guard.hpp"
#include "config/config.hpp"
#include "enforce/ipset_enforcer.hpp"
#include "enforce/nft_enforcer.hpp"
#include "model/command.hpp"
#include "model/enforcer.hpp"

namespace palang {

// Makes the kernel agree with what is decided by what the configuration wants and this host can do: XDP, nftables,
// both, or nobody (a dry run). Where something can't be had, the next best takes its place, and the reason is kept.
//
// Nothing that drops packets is taken away before what takes its place holds all bans.
class Enforcement final : public Enforcer {
 public:
  // Error: not even the last resort can be had.
  [[nodiscard]] static Result<std::unique_ptr<Enforcement>> open(const Config& config);

  [[nodiscard]] Result<void> apply(std::span<const Change> changes, WallTime now) override;
  [[nodiscard]] Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) override;
  [[nodiscard]] Result<std::vector<Ban>> held(WallTime now) override;
  [[nodiscard]] Result<std::vector<Hits>> hits(std::span<const Ban> bans) override;
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone token) override;

  // After a reconcile with all bans: hangs XDP on the interfaces as they are now, and takes away what is superseded.
  // True: another enforcer is needed and open; reconcile with all bans, and call again.
  [[nodiscard]] bool settle();

  // What XDP has to know of the host besides. Nothing for others.
  [[nodiscard]] Result<void> watch(const XdpWatch& watch);
  // Where XDP has moved the end of a decision, as it does when its source knocks, also while no daemon runs.
  using MovedEnd = std::function<std::optional<WallTime>(const Decision&)>;
  [[nodiscard]] MovedEnd ends_moved_by_knocks(WallTime now);
  // Bans that XDP made by itself and that nobody has taken over.
  [[nodiscard]] Result<std::vector<Ban>> fresh(WallTime now);
  // The tables and the program; null where XDP is not used.
  [[nodiscard]] XdpEnforcer* xdp() { return xdp_ ? &xdp_->enforcer() : nullptr; }
  // The policy by which XDP moves the ends of bans; what takes a restart stays as it was.
  void use(const Config& config);

  // "xdp", "nftables", "xdp and nftables", "ipset", "dry-run".
  [[nodiscard]] std::string name() const;
  [[nodiscard]] EnforcementStatus status() const;
  [[nodiscard]] bool touches_nothing() const { return dry_run_ != nullptr; }
  [[nodiscard]] bool uses_xdp() const { return xdp_.has_value(); }
  // Null where ipset is not used.
  [[nodiscard]] IpsetEnforcer* ipset() const { return ipset_.get(); }
  // By which the kernel names our changes of nftables; 0: there are none.
  [[nodiscard]] uint32_t nft_port_id() const { return nft_ ? nft_->port_id() : 0; }

 private:
  explicit Enforcement(EnforceSettings settings) : settings_(std::move(settings)) {}
  [[nodiscard]] Result<void> open_xdp(const Config& config);
  [[nodiscard]] Result<void> open_nft();
  [[nodiscard]] Result<void> open_ipset();
  [[nodiscard]] std::vector<Enforcer*> in_force() const;
  [[nodiscard]] bool need_nft();
  void give_up_xdp();
  void retire_nft();

  EnforceSettings settings_;
  std::unique_ptr<Enforcer> dry_run_;
  std::unique_ptr<IpsetEnforcer> ipset_;
  std::optional<XdpGuard> xdp_;
  std::unique_ptr<NftEnforcer> nft_;
  bool nft_holds_all_ = false;  // all bans, since it was opened
  bool xdp_holds_all_ = false;
  bool nft_may_linger_ = true;  // a table of an earlier daemon
  bool xdp_may_linger_ = true;  // what an earlier daemon hung on interfaces
  std::vector<std::string> reasons_;
};

}  // namespace palang
