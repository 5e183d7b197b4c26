#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "firewall/firewall_store.hpp"
#include "firewall/nft_library.hpp"
#include "firewall/policy.hpp"
#include "firewall/transaction.hpp"

namespace palang {

// What is in force, and what is on trial.
struct FirewallStanding {
  bool panics = false;
  std::optional<StoredPolicy> confirmed;
  std::optional<StoredTrial> trial;  // only while it lasts
  std::optional<Duration> trial_left;
  bool in_kernel = false;  // the kernel holds what it should
  std::string listing;     // of what the kernel holds
};

// The standing firewall in the kernel and on disk. Every call that changes something takes the lock, and tidies up a
// trial that is over.
//
// A trial needs nobody to end it: the way to the new policy is a set element with a timeout, which the kernel forgets
// by itself. What was in force before stands beside it all the time.
class FirewallKeeper {
 public:
  explicit FirewallKeeper(std::string directory) : store_(std::move(directory)) {}

  [[nodiscard]] Result<FirewallStanding> standing();

  // The generation that a new policy should have.
  [[nodiscard]] Result<uint32_t> next_generation();
  // In force from now on, until confirm() or the end of the trial.
  [[nodiscard]] Result<void> begin_trial(const CompiledPolicy& policy, const StoredPolicy& stored, Duration lasts,
                                         std::vector<std::string> connections);
  // Error (usage): there is nothing to confirm.
  [[nodiscard]] Result<void> confirm();
  // Ends the trial now; what was in force before is again.
  [[nodiscard]] Result<void> end_trial();

  // For good, without a trial.
  [[nodiscard]] Result<void> panic(const CompiledPolicy& policy);
  [[nodiscard]] Result<void> end_panic();
  [[nodiscard]] Result<void> remove();

  // A host has these addresses from now on, in every policy that names it.
  [[nodiscard]] Result<void> set_host(const std::string& host, const std::vector<Address>& addresses);

  // Puts in force what is confirmed, if the kernel doesn't hold it. True: it did not.
  [[nodiscard]] Result<bool> restore(Duration patience = 5s);

  [[nodiscard]] const FirewallStore& store() const { return store_; }
  [[nodiscard]] NftLibrary& nft() { return nft_; }

 private:
  struct Scene {  // under the lock
    Fd lock;
    std::string listing;
    FirewallInKernel held;
    std::optional<StoredPolicy> in_force;  // the panic, or what is confirmed
  };
  [[nodiscard]] Result<Scene> enter(Duration patience = 5s);
  [[nodiscard]] Result<void> look(Scene& scene);
  [[nodiscard]] Result<void> run(Scene& scene, const std::string& script);
  [[nodiscard]] Result<void> load(Scene& scene);
  [[nodiscard]] Result<void> tidy(Scene& scene);

  FirewallStore store_;
  NftLibrary nft_;
};

}  // namespace palang
