#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/time.hpp"
#include "firewall/policy.hpp"
#include "net/ports.hpp"

namespace palang {

// A policy on disk. It is what `nft -f` reads, too; what palang has to know besides stands in comments above it.
struct StoredPolicy {
  uint32_t generation = 0;
  std::vector<std::string> hooks;
  std::vector<std::string> hosts;  // whose addresses are in it
  PublicPorts open;
  uint32_t nflog_group = 0;
  std::string whole;  // whole_policy()
};
[[nodiscard]] StoredPolicy stored_policy(const CompiledPolicy& policy, std::vector<std::string> hosts,
                                         uint32_t nflog_group);
[[nodiscard]] std::string print_policy(const StoredPolicy& policy);
[[nodiscard]] Result<StoredPolicy> parse_policy(std::string_view text);

// A policy that waits for its confirmation.
struct StoredTrial {
  StoredPolicy policy;
  std::string boot;                      // which boot of the host it was in
  int64_t ends_ms = 0;                   // since that boot, sleep included
  std::vector<std::string> connections;  // there were then: none of them can confirm
};

// The files of the firewall, in the state directory. Who changes them or the kernel holds the lock.
class FirewallStore {
 public:
  explicit FirewallStore(std::string directory) : directory_(std::move(directory)) {}

  // Waits for others for a few seconds at most; the lock ends with the descriptor.
  [[nodiscard]] Result<Fd> lock(Duration patience) const;

  enum class Policy : uint8_t { confirmed, panic };
  [[nodiscard]] Result<std::optional<StoredPolicy>> read(Policy which) const;
  [[nodiscard]] Result<void> write(Policy which, const StoredPolicy& policy) const;
  [[nodiscard]] Result<void> remove(Policy which) const;

  [[nodiscard]] Result<std::optional<StoredTrial>> read_trial() const;
  [[nodiscard]] Result<void> write_trial(const StoredTrial& trial) const;
  [[nodiscard]] Result<void> remove_trial() const;

  // The kernel's listing as it was after our last change.
  [[nodiscard]] std::string read_listing() const;
  [[nodiscard]] Result<void> write_listing(const std::string& listing) const;

  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  [[nodiscard]] std::string path(std::string_view name) const { return directory_ + "/" + std::string(name); }
  [[nodiscard]] Result<std::optional<std::string>> read_file(std::string_view name) const;
  [[nodiscard]] Result<void> write_file(std::string_view name, std::string_view text) const;
  [[nodiscard]] Result<void> remove_file(std::string_view name) const;

  std::string directory_;
};

}  // namespace palang
