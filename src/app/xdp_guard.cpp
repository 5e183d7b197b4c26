#include "app/xdp_guard.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "enforce/xdp_cost.hpp"
#include "host/interfaces.hpp"

namespace palang {
namespace {

std::string place_in(const EnforceSettings& settings) {
  return settings.bpffs + "/palang";
}

// Each layout of the maps has a place of its own: they are filled anew before the program changes over to them.
constexpr std::string_view tables_prefix = "tables_";

std::string tables_in(const Bpffs& pins) {
  return fmt::format("{}/{}{}", pins.directory(), tables_prefix, XdpProgram::layout());
}

constexpr std::string_view no_conntrack =
    "XDP can't ask the connection tracking: of what banned peers answer, only what is for a socket of this host passes";

XdpEnforcer::Policy knocks_of(const Config& config) {
  return {config.policy.ban.quiet, config.policy.ban.at_most};
}

bool is_named(const std::vector<std::string>& names, const Interface& interface) {
  return std::ranges::find(names, interface.name) != names.end();
}

// Whom native XDP would cost something; empty: nobody.
std::string harm_to_interfaces(const std::vector<std::string>& named) {
  const auto of_routes = default_route_interfaces().value_or(std::set<uint32_t>{});
  for (const Interface& one : all_interfaces().value_or(std::vector<Interface>{})) {
    const bool is_wanted = named.empty() ? of_routes.contains(one.index) : is_named(named, one);
    if (is_wanted && one.merges_packets) return fmt::format("{}: {}", one.name, merging_reason);
  }
  return {};
}

void log_change(const GuardedInterface& now, std::span<const GuardedInterface> before) {
  const auto same = [&](const GuardedInterface& one) {
    return one.interface.index == now.interface.index && one.mode == now.mode && one.reasons == now.reasons;
  };
  if (std::ranges::any_of(before, same)) return;
  for (const std::string& reason : now.reasons) log_info(fmt::format("{}: {}", now.interface.name, reason));
  if (now.mode)
    log_notice(fmt::format("XDP guards {} ({})", now.interface.name, gate_mode_name(*now.mode)));
  else
    log_warning(fmt::format("XDP can't guard {}", now.interface.name));
}

}  // namespace

Result<XdpGuard> XdpGuard::open(const Config& config) {
  const EnforceSettings& settings = config.enforce;
  // Known beforehand on most virtual machines; nothing has to be loaded and filled for that.
  if (settings.backend == EnforceSettings::Backend::automatic)
    if (const std::string harm = harm_to_interfaces(settings.interfaces); !harm.empty()) return fail(harm);
  auto pins = Bpffs::open(place_in(settings));
  if (!pins) return Failure(pins.error());
  const auto tables = Bpffs::open(tables_in(*pins));
  if (!tables) return Failure(tables.error());
  auto program = XdpProgram::load({.pins = tables->directory(), .with_xdp = true, .with_tc = true});
  if (!program) return Failure(program.error());
  auto enforcer = XdpEnforcer::open(*std::move(program), knocks_of(config));
  if (!enforcer) return Failure(enforcer.error());
  if (!(*enforcer)->program().sees_conntrack()) log_info(std::string(no_conntrack));
  const auto ways = settings.backend == EnforceSettings::Backend::xdp ? GuardedInterfaces::Ways::all
                                                                      : GuardedInterfaces::Ways::harmless;
  return XdpGuard(settings, *std::move(enforcer), GuardedInterfaces(*std::move(pins), ways));
}

void XdpGuard::use(const Config& config) {
  enforcer_->use_policy(knocks_of(config));
}

// By name where the configuration names some, else by default routes; and what was wanted once, as long as it exists:
// an interface that is down has no routes, and one that was renamed is still the one that was meant.
bool XdpGuard::is_wanted(const Interface& interface, const std::set<uint32_t>& of_routes,
                         const std::set<uint32_t>& known) const {
  if (wanted_.contains(interface.index)) return true;
  if (!named_.empty()) return is_named(named_, interface);
  if (of_routes.contains(interface.index) || wanted_names_.contains(interface.name)) return true;
  return first_ && !interface.is_up && known.contains(interface.index);
}

XdpGuard::Guards XdpGuard::guard() {
  const auto all = all_interfaces();
  const auto of_routes = default_route_interfaces();
  if (!all || !of_routes) {
    log_warning((all ? of_routes.error() : all.error()).text + "; interfaces stay guarded as they are");
    return interfaces_.all().empty() ? Guards::nothing : Guards::all;
  }
  const auto known = interfaces_.known().value_or(std::vector<uint32_t>{});
  const std::set<uint32_t> guarded(known.begin(), known.end());
  std::vector<Interface> wanted;
  for (const Interface& one : *all)
    if (is_wanted(one, *of_routes, guarded)) wanted.push_back(one);
  wanted_.clear();
  for (const Interface& one : wanted) {
    wanted_.insert(one.index);
    wanted_names_.insert(one.name);
  }
  const std::vector<GuardedInterface> before = interfaces_.all();
  const OpensGate opens = [this] { return enforcer_->program().open_again(); };
  const GatePrograms programs{enforcer_->program().xdp(), enforcer_->program().tc(), &opens};
  using Renew = GuardedInterfaces::Renew;
  const bool is_first = std::exchange(first_, false);
  interfaces_.guard(wanted, programs, is_first ? Renew::yes : Renew::no);
  if (is_first) forget_other_tables();
  for (const GuardedInterface& one : interfaces_.all()) log_change(one, before);
  if (wanted_names_.empty()) return Guards::nothing;
  const bool complete =
      std::ranges::all_of(interfaces_.all(), [](const GuardedInterface& one) { return one.mode.has_value(); });
  return complete ? Guards::all : Guards::some;
}

// Of another version of palang; no program uses them any more.
void XdpGuard::forget_other_tables() const {
  const std::string ours = tables_in(interfaces_.pins());
  const auto names = interfaces_.pins().names();
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    auto other = Bpffs::find(fmt::format("{}/{}", interfaces_.pins().directory(), name));
    if (!name.starts_with(tables_prefix) || !other || other->directory() == ours) continue;
    if (const auto removed = other->remove_everything(); !removed) log_warning(removed.error().text);
  }
}

Result<void> XdpGuard::remove() {
  if (const auto released = interfaces_.release_all(); !released) return released;
  return interfaces_.pins().remove_everything();
}

void XdpGuard::add_status(EnforcementStatus& status) const {
  for (const GuardedInterface& one : interfaces_.all())
    status.interfaces.push_back(
        {one.interface.name, one.mode ? std::string(gate_mode_name(*one.mode)) : std::string(), one.reasons});
  const XdpCost cost = cost_of(*enforcer_);
  status.kernel_bytes = cost.kernel_bytes;
  status.runs = cost.runs;
  status.run_ns = cost.run_ns;
  const auto packets = enforcer_->counters();
  for (size_t i = 0; packets && i < packets->size(); ++i)
    if ((*packets)[i] > 0) status.packets.push_back({std::string(xdp_counter_name(i)), (*packets)[i]});
}

SpecialRights prepare_for_xdp(const EnforceSettings& settings) {
  using Backend = EnforceSettings::Backend;
  SpecialRights special;
  special.runs_iptables = settings.backend == Backend::ipset;
  if (settings.backend != Backend::automatic && settings.backend != Backend::xdp) return special;
  // Without one XDP is not opened, and why is told then.
  if (const auto mounted = mount_bpffs(settings.bpffs); !mounted) log_debug(mounted.error().text);
  const auto pins = Bpffs::find(place_in(settings));
  for (const Interface& one : all_interfaces().value_or(std::vector<Interface>{})) {
    if (!has_xdp_program(one.index)) continue;
    const auto ours = pins ? XdpLink::find(*pins, one.index) : Result<std::optional<XdpLink>>{};
    special.shares_interfaces = special.shares_interfaces || !ours || !*ours;
  }
  return special;
}

Result<void> remove_xdp_guard(const EnforceSettings& settings) {
  auto pins = Bpffs::find(place_in(settings));
  if (!pins) return {};
  GuardedInterfaces interfaces(*std::move(pins), GuardedInterfaces::Ways::all);
  if (const auto released = interfaces.release_all(); !released) return released;
  return interfaces.pins().remove_everything();
}

}  // namespace palang
