#include "app/enforcement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.hpp"
#include "enforce/dry_run.hpp"
#include "host/forwarding.hpp"

namespace palang {

using Backend = EnforceSettings::Backend;

Result<std::unique_ptr<Enforcement>> Enforcement::open(const Config& config) {
  const EnforceSettings& settings = config.enforce;
  std::unique_ptr<Enforcement> made(new Enforcement(settings));
  if (settings.backend == Backend::dry_run) {
    made->dry_run_ = std::make_unique<DryRun>();
    return made;
  }
  if (settings.backend == Backend::ipset) {
    if (const auto opened = made->open_ipset(); !opened) return Failure(opened.error());
    return made;
  }
  if (settings.backend == Backend::automatic || settings.backend == Backend::xdp) {
    if (const auto opened = made->open_xdp(config); !opened) {
      made->reasons_.push_back(opened.error().text);
      if (settings.backend == Backend::xdp)
        log_warning(opened.error().text + "; nftables takes the place of XDP");
      else
        log_info(opened.error().text + "; nftables is used");
    }
  }
  if (!made->xdp_ || settings.nftables_too)
    if (const auto opened = made->open_nft(); !opened) return Failure(opened.error());
  return made;
}

Result<void> Enforcement::open_xdp(const Config& config) {
  // Quiet bans leave ports alone that are open here; of ports that lead to hosts and containers behind this one XDP
  // knows nothing, since it comes before their addresses are translated. Who says "xdp" declares those ports public.
  if (settings_.backend == Backend::automatic && forwards_packets(HostRoot{}))
    return fail("this host forwards packets, and what XDP sees of those is not yet translated");
  auto opened = XdpGuard::open(config);
  if (!opened) return Failure(opened.error());
  xdp_.emplace(*std::move(opened));
  xdp_may_linger_ = false;  // it is ours now
  return {};
}

Result<void> Enforcement::open_nft() {
  auto opened = NftEnforcer::open();
  if (!opened) return Failure(opened.error());
  nft_ = *std::move(opened);
  nft_holds_all_ = false;
  return {};
}

void Enforcement::use(const Config& config) {
  if (xdp_) xdp_->use(config);
}

Result<void> Enforcement::open_ipset() {
  auto opened = IpsetEnforcer::open();
  if (!opened) return Failure(opened.error());
  ipset_ = *std::move(opened);
  log_info(ipset_->uses_legacy_iptables() ? "using iptables by its older interface (legacy)"
                                          : "using iptables by nf_tables");
  return {};
}

Result<void> Enforcement::watch(const XdpWatch& watch) {
  if (!xdp_) return {};
  return xdp_->enforcer().watch(watch);
}

Enforcement::MovedEnd Enforcement::ends_moved_by_knocks(WallTime now) {
  auto held = xdp_ ? xdp_->enforcer().held(now).value_or(std::vector<Ban>{}) : std::vector<Ban>{};
  std::erase_if(held, [](const Ban& ban) { return ban.knock == 0; });
  std::ranges::sort(held, {}, &Ban::prefix);
  return [held = std::move(held)](const Decision& decision) -> std::optional<WallTime> {
    constexpr Duration same_end = 10s;  // what the kernel's clock may be off
    const auto found = std::ranges::lower_bound(held, decision.prefix, {}, &Ban::prefix);
    if (found == held.end() || found->prefix != decision.prefix || found->scope != decision.scope) return std::nullopt;
    if (found->until <= decision.until + same_end) return std::nullopt;
    return found->until;
  };
}

Result<std::vector<Ban>> Enforcement::fresh(WallTime now) {
  if (!xdp_) return {};
  return xdp_->enforcer().fresh(now);
}

std::vector<Enforcer*> Enforcement::in_force() const {
  std::vector<Enforcer*> all;
  if (dry_run_) all.push_back(dry_run_.get());
  if (xdp_) all.push_back(&const_cast<std::optional<XdpGuard>&>(xdp_)->enforcer());
  if (ipset_) all.push_back(ipset_.get());
  if (nft_) all.push_back(nft_.get());
  return all;
}

// One that fails must not keep the others from it.
Result<void> Enforcement::apply(std::span<const Change> changes, WallTime now) {
  Result<void> all;
  for (Enforcer* const one : in_force())
    if (auto done = one->apply(changes, now); !done) all = std::move(done);
  return all;
}

Result<ReconcileReport> Enforcement::reconcile(const Intended& intended, Extra extra, WallTime now) {
  ReconcileReport sum;
  std::optional<Error> trouble;
  for (Enforcer* const one : in_force()) {
    const auto report = one->reconcile(intended, extra, now);
    if (!report) {
      trouble = report.error();
      continue;
    }
    sum.added += report->added;
    sum.removed += report->removed;
    sum.refreshed += report->refreshed;
    sum.rewritten += report->rewritten;
    sum.rebuilt = sum.rebuilt || report->rebuilt;
    if (intended.bans && one == nft_.get()) nft_holds_all_ = true;
    if (intended.bans && xdp_ && one == &xdp_->enforcer()) xdp_holds_all_ = true;
  }
  if (trouble) return Failure(*trouble);
  return sum;
}

// Of a ban that two of them hold, the later end.
Result<std::vector<Ban>> Enforcement::held(WallTime now) {
  std::map<Prefix, Ban> all;
  for (Enforcer* const one : in_force()) {
    const auto held = one->held(now);
    if (!held) return held;
    for (const Ban& ban : *held) {
      const auto [place, fresh] = all.try_emplace(ban.prefix, ban);
      if (!fresh && ban.until > place->second.until) place->second = ban;
    }
  }
  std::vector<Ban> bans;
  bans.reserve(all.size());
  for (const auto& [prefix, ban] : all) bans.push_back(ban);
  return bans;
}

// A packet is stopped by one of them, so the counts add up.
Result<std::vector<Hits>> Enforcement::hits(std::span<const Ban> bans) {
  const auto all = in_force();
  auto sum = all.front()->hits(bans);
  for (size_t i = 1; sum && i < all.size(); ++i) {
    const auto more = all[i]->hits(bans);
    if (!more) return more;
    std::map<Prefix, uint64_t> packets;
    for (const Hits& hit : *more) packets[hit.prefix] = hit.packets;
    for (Hits& hit : *sum)
      if (const auto found = packets.find(hit.prefix); found != packets.end()) hit.packets += found->second;
  }
  return sum;
}

Result<void> Enforcement::lift_everything(UnblocksEveryone token) {
  if (dry_run_) return dry_run_->lift_everything(token);
  if (ipset_) return ipset_->lift_everything(token);
  if (xdp_) {
    if (const auto removed = xdp_->remove(); !removed) return removed;
    xdp_.reset();
  } else if (const auto removed = remove_xdp_guard(settings_); !removed) {
    return removed;
  }
  if (!nft_)
    if (const auto opened = open_nft(); !opened) return opened;
  return nft_->lift_everything(token);
}

// Whether nftables has to drop packets, too.
bool Enforcement::need_nft() {
  if (!xdp_) return true;
  const bool guards_all = xdp_->guard() == XdpGuard::Guards::all;
  return !guards_all || settings_.nftables_too;
}

bool Enforcement::settle() {
  if (dry_run_ || ipset_ || (xdp_ && !xdp_holds_all_)) return false;
  if (!need_nft()) {
    retire_nft();
    return false;
  }
  if (!nft_) {
    if (const auto opened = open_nft(); !opened) {
      log_error(opened.error().text + "; what XDP can't guard is not guarded");
      return false;
    }
    return true;
  }
  if (!nft_holds_all_) return true;
  give_up_xdp();
  return false;
}

// nftables holds all bans. Where XDP isn't wanted, or native XDP only and not every interface has it, it is taken
// away.
void Enforcement::give_up_xdp() {
  if (xdp_ && settings_.backend == Backend::automatic) {
    EnforcementStatus status;
    xdp_->add_status(status);
    const auto without =
        std::ranges::find_if(status.interfaces, [](const InterfaceStatus& one) { return one.mode.empty(); });
    if (without == status.interfaces.end()) return;  // nothing to guard yet, or nftables runs beside it
    for (const std::string& reason : without->reasons) reasons_.push_back(fmt::format("{}: {}", without->name, reason));
    log_notice(fmt::format("nftables is used, as XDP in the driver can't be had on {}", without->name));
    if (const auto removed = xdp_->remove(); !removed) log_warning(removed.error().text);
    xdp_.reset();
  }
  if (!xdp_ && xdp_may_linger_) {
    if (const auto removed = remove_xdp_guard(settings_); !removed) return log_warning(removed.error().text);
    xdp_may_linger_ = false;
  }
}

// XDP guards every interface.
void Enforcement::retire_nft() {
  if (!nft_ && !nft_may_linger_) return;
  if (!nft_)
    if (const auto opened = open_nft(); !opened) return;  // without the right to it there is none of ours
  if (const auto lifted = nft_->lift_everything({}); !lifted) return log_warning(lifted.error().text);
  nft_.reset();
  nft_may_linger_ = false;
}

std::string Enforcement::name() const {
  if (dry_run_) return "dry-run";
  if (ipset_) return "ipset";
  if (xdp_) return nft_ ? "xdp and nftables" : "xdp";
  return "nftables";
}

EnforcementStatus Enforcement::status() const {
  EnforcementStatus status;
  status.reasons = reasons_;
  if (xdp_) xdp_->add_status(status);
  return status;
}

}  // namespace palang
