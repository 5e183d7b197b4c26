#pragma once

#include <functional>
#include <string>

#include "app/event_loop.hpp"
#include "app/firewall_guard.hpp"
#include "app/gate.hpp"
#include "app/intake.hpp"

namespace palang {

// Joins the standing firewall and the gate: the ports that the policy opens are public, and what it refuses is judged.
class FirewallWatch {
 public:
  using Add = std::function<void(Intake)>;
  FirewallWatch(std::string directory, Gate& gate, const Clock& clock, Add add)
      : guard_(std::move(directory)), gate_(gate), clock_(clock), add_(std::move(add)) {}

  // `changed`: somebody touched our table.
  void look(bool changed);
  void connect(EventLoop& loop);

 private:
  void hear_of_refused();

  FirewallGuard guard_;
  Gate& gate_;
  const Clock& clock_;
  Add add_;
  uint32_t heard_group_ = 0;
  std::string trouble_;
};

}  // namespace palang
