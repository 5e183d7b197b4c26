#pragma once

#include <memory>
#include <optional>

#include "enforce/netlink_socket.hpp"
#include "enforce/nft_reader.hpp"
#include "enforce/set_name.hpp"
#include "model/enforcer.hpp"

namespace palang {

struct NftPlan;

// nftables, spoken to by netlink: one table `inet palang`, and no other is ever touched. Needs CAP_NET_ADMIN only and
// works in the network namespace in which it was opened.
//
// Calls of up to 16,384 elements are one transaction. Larger loads follow in further ones, behind a first that holds
// the whole structure; an error in between leaves what was loaded. A set too large to be compared (see reconcile) is
// filled beside the one in force and takes its place in one transaction.
//
// Bans longer than ten years are given to the kernel as ten years.
class NftEnforcer final : public Enforcer {
 public:
  // Fails with EPERM without CAP_NET_ADMIN.
  [[nodiscard]] static Result<std::unique_ptr<NftEnforcer>> open();

  // Of a prefix that occurs more than once the last change counts. Builds what is missing, with the allowed and the
  // open ports of the last reconcile.
  [[nodiscard]] Result<void> apply(std::span<const Change> changes, WallTime now) override;

  // Prefixes of `intended` are distinct. Rewrites the rules always. Ends within a second of the intended count as
  // equal. Sets intended to hold more than 50,000 bans, or found to hold more, are not compared but written anew
  // (report.rewritten), as the kernel takes quadratic time to list a set; with Extra::keep they are compared all the
  // same.
  [[nodiscard]] Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) override;

  // Quadratic in the size of a set: 100,000 bans 0.3 s, 1,000,000 bans 50 s.
  [[nodiscard]] Result<std::vector<Ban>> held(WallTime now) override;
  [[nodiscard]] Result<std::vector<Hits>> hits(std::span<const Ban> bans) override;
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone) override;

  // By which the kernel names us in notifications (see NftMonitor).
  [[nodiscard]] uint32_t port_id() const { return socket_.port_id(); }

 private:
  explicit NftEnforcer(NetlinkSocket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] Result<const TableState*> known_table();
  [[nodiscard]] Result<void> execute(const NftPlan& plan, WallTime now);

  NetlinkSocket socket_;
  NftReader reader_;
  // As of the last look at the kernel or our last change; none: must be read. Others may change it any time, then the
  // kernel refuses a transaction that relies on it, and it is read again.
  std::optional<TableState> table_;
  std::vector<Allowed> allowed_;  // of the last reconcile
  PublicPorts open_;
};

}  // namespace palang
