#pragma once

#include "base/seeded_table.hpp"
#include "model/enforcer.hpp"

namespace palang {

// Touches nothing and needs no rights: remembers what it was told, so that held() answers as the kernel would.
class DryRun final : public Enforcer {
 public:
  [[nodiscard]] Result<void> apply(std::span<const Change> changes, WallTime now) override;
  [[nodiscard]] Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) override;
  [[nodiscard]] Result<std::vector<Ban>> held(WallTime now) override;
  // Nothing is ever stopped: 0 for every ban it holds.
  [[nodiscard]] Result<std::vector<Hits>> hits(std::span<const Ban> bans) override;
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone) override;

 private:
  struct Held {
    Scope scope = Scope::quiet;
    WallTime until;
    bool intended = false;  // of no meaning outside reconcile()
  };
  void forget(const Prefix& prefix);
  void forget_ended(WallTime now);
  void hold(const Ban& ban, ReconcileReport& report);

  SeededTable<Prefix, Held> bans_{HashSeed::random()};
  bool built_ = false;
};

}  // namespace palang
