#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/privileges.hpp"
#include "config/config.hpp"
#include "enforce/guarded_interfaces.hpp"
#include "enforce/xdp_enforcer.hpp"
#include "model/command.hpp"

namespace palang {

// XDP as a whole: the tables with the program, and the interfaces on which it hangs.
class XdpGuard {
 public:
  // Error: what this host lacks for XDP, a sentence.
  [[nodiscard]] static Result<XdpGuard> open(const Config& config);
  void use(const Config& config);

  [[nodiscard]] XdpEnforcer& enforcer() { return *enforcer_; }

  enum class Guards : uint8_t {
    all,      // of the interfaces that should be guarded, all are
    nothing,  // there is none to guard, and there never was
    some,     // at least one is not
  };
  // Guards the interfaces as they are now.
  [[nodiscard]] Guards guard();
  // Takes it from all interfaces and out of the kernel.
  [[nodiscard]] Result<void> remove();
  void add_status(EnforcementStatus& status) const;

 private:
  XdpGuard(const EnforceSettings& settings, std::unique_ptr<XdpEnforcer> enforcer, GuardedInterfaces interfaces)
      : named_(settings.interfaces), enforcer_(std::move(enforcer)), interfaces_(std::move(interfaces)) {}
  [[nodiscard]] bool is_wanted(const Interface& interface, const std::set<uint32_t>& of_routes,
                               const std::set<uint32_t>& known) const;

  void forget_other_tables() const;

  std::vector<std::string> named_;
  std::unique_ptr<XdpEnforcer> enforcer_;
  GuardedInterfaces interfaces_;
  std::set<uint32_t> wanted_;           // indexes that were, as long as they exist
  std::set<std::string> wanted_names_;  // names that were: an interface made anew is guarded before it has a route
  bool first_ = true;
};

// What takes rights that the daemon gives up: mounts the BPF file system, and tells what it should keep.
[[nodiscard]] SpecialRights prepare_for_xdp(const EnforceSettings& settings);

// What an earlier daemon left in the kernel for XDP is taken away.
[[nodiscard]] Result<void> remove_xdp_guard(const EnforceSettings& settings);

}  // namespace palang
