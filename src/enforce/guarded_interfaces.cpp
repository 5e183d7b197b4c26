#include "enforce/guarded_interfaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace palang {
namespace {

bool is_among(uint32_t index, std::span<const Interface> interfaces) {
  return std::ranges::any_of(interfaces, [&](const Interface& one) { return one.index == index; });
}

std::string shared_name(uint32_t interface) {
  return fmt::format("shared_{}", interface);
}

// Pins of an interface are named by what they are and its index.
std::optional<uint32_t> interface_named_by(std::string_view pin) {
  for (const std::string_view kind : {"link_", "shared_", "tcown_", "tcuser_"}) {
    if (!pin.starts_with(kind)) continue;
    const std::string_view digits = pin.substr(kind.size());
    uint32_t index = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), index).ec == std::errc()) return index;
  }
  return std::nullopt;
}

// "native XDP: operation not supported (EOPNOTSUPP)" of "attach native XDP: …".
std::string_view cause_of(const Error& error) {
  const std::string_view text = error.text;
  const size_t colon = text.find(": ");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

}  // namespace

std::string_view gate_mode_name(GateMode mode) {
  switch (mode) {
    case GateMode::native: return "native";
    case GateMode::shared: return "shared";
    case GateMode::generic: return "generic";
    case GateMode::classifier: return "tc";
  }
  return "";
}

void GuardedInterfaces::guard(std::span<const Interface> wanted, const GatePrograms& programs, Renew renew) {
  std::vector<GuardedInterface> guarded;
  for (const Interface& interface : wanted) guarded.push_back(guard_one(interface, programs, renew));
  if (const auto before = known()) {
    for (const uint32_t index : *before)
      if (!is_among(index, wanted))
        if (const auto released = release(index); !released && !guarded.empty())
          guarded.front().reasons.push_back(released.error().text);
  }
  guarded_ = std::move(guarded);
}

GuardedInterface GuardedInterfaces::guard_one(const Interface& interface, const GatePrograms& programs, Renew renew) {
  GuardedInterface one{interface, std::nullopt, {}};
  if (ways_ == Ways::harmless && interface.merges_packets) {
    one.reasons.emplace_back(merging_reason);
    return one;
  }
  one.mode = keep(interface.index, programs, renew, one.reasons);
  if (!one.mode && !holds_[interface.index].link) {
    one.mode = attach(interface, programs, one.reasons);
    return one;
  }
  for (const GuardedInterface& before : guarded_)
    if (before.interface.index == interface.index && before.mode == one.mode) one.reasons = before.reasons;
  return one;
}

// What is in force already, by this daemon or an earlier one.
std::optional<GateMode> GuardedInterfaces::keep(uint32_t interface, const GatePrograms& programs, Renew renew,
                                                Reasons& reasons) {
  Hold& hold = holds_[interface];
  const auto renewed = [&](const Result<void>& done) {
    if (!done) reasons.push_back(done.error().text);
    return done.has_value();
  };
  if (hold.link && !hold.link->is_alive()) hold.link.reset();
  const bool adopted = !hold.link && !hold.filter && !hold.shared;
  if (!hold.link) {
    auto found = XdpLink::find(pins_, interface);
    if (found) hold.link = *std::move(found);
  }
  if (hold.link) {
    if ((renew == Renew::yes || adopted) && !renewed(hold.link->replace(programs.xdp))) return std::nullopt;
    if (hold.link->mode() == XdpMode::native) return GateMode::native;
    if (ways_ == Ways::all) return GateMode::generic;
    reasons.emplace_back("native XDP is not to be had: an earlier palang tried");
    return std::nullopt;
  }
  if (!hold.shared && adopted && has_xdp_program(interface)) hold.shared = SharedXdp::find(interface);
  if (hold.shared && hold.shared->is_alive()) {
    if ((renew == Renew::yes || adopted) && programs.opens && !renewed(hold.shared->replace(*programs.opens)))
      return std::nullopt;
    return GateMode::shared;
  }
  hold.shared.reset();
  if (hold.filter && renew == Renew::no && hold.filter->is_alive()) return GateMode::classifier;
  return std::nullopt;  // a filter is replaced by attaching it again
}

std::optional<GateMode> GuardedInterfaces::attach(const Interface& interface, const GatePrograms& programs,
                                                  Reasons& reasons) {
  if (!interface.is_ethernet) {
    reasons.push_back(fmt::format("{} carries no Ethernet frames", interface.name));
    return std::nullopt;
  }
  if (has_xdp_program(interface.index)) {
    if (const auto shared = share(interface.index, programs, reasons)) return shared;
  } else {
    if (link(interface.index, programs.xdp, XdpMode::native, reasons)) return GateMode::native;
    if (ways_ == Ways::harmless) return std::nullopt;
    if (link(interface.index, programs.xdp, XdpMode::generic, reasons)) return GateMode::generic;
  }
  if (ways_ == Ways::harmless) return std::nullopt;
  auto filter = TcFilter::attach(pins_, interface.index, programs.classifier);
  if (!filter) {
    reasons.push_back(filter.error().text);
    return std::nullopt;
  }
  holds_[interface.index].filter = *filter;
  return GateMode::classifier;
}

std::optional<GateMode> GuardedInterfaces::share(uint32_t interface, const GatePrograms& programs, Reasons& reasons) {
  if (!programs.opens) return std::nullopt;
  auto shared = SharedXdp::attach(interface, *programs.opens);
  if (!shared) {
    reasons.push_back(fmt::format("another XDP program has the interface: {}", shared.error().text));
    return std::nullopt;
  }
  reasons.emplace_back("another XDP program has the interface, and libxdp's dispatcher runs both");
  holds_[interface].shared = *shared;
  // libxdp keeps it in force; this is how a later daemon knows of it.
  if (const auto noted = pins_.pin(programs.xdp, shared_name(interface)); !noted) reasons.push_back(noted.error().text);
  return GateMode::shared;
}

bool GuardedInterfaces::link(uint32_t interface, int program, XdpMode mode, Reasons& reasons) {
  auto made = XdpLink::attach(pins_, interface, program, mode);
  if (!made) {
    reasons.push_back(fmt::format("{} is not to be had: {}", mode == XdpMode::native ? "native XDP" : "generic XDP",
                                  cause_of(made.error())));
    return false;
  }
  Hold& hold = holds_[interface];
  hold.link = *std::move(made);
  return true;
}

Result<std::vector<uint32_t>> GuardedInterfaces::known() const {
  const auto names = pins_.names();
  if (!names) return Failure(names.error());
  std::set<uint32_t> all;
  for (const std::string& name : *names)
    if (const auto index = interface_named_by(name)) all.insert(*index);
  return std::vector<uint32_t>(all.begin(), all.end());
}

Result<void> GuardedInterfaces::release(uint32_t interface) {
  Hold hold;
  if (const auto found = holds_.find(interface); found != holds_.end()) {
    hold = std::move(found->second);
    holds_.erase(found);
  }
  if (!hold.link) {
    auto found = XdpLink::find(pins_, interface);
    if (!found) return Failure(found.error());
    hold.link = *std::move(found);
  }
  if (hold.link)
    if (const auto done = hold.link->detach(pins_); !done) return done;
  if (!hold.shared && has_xdp_program(interface)) hold.shared = SharedXdp::find(interface);
  if (hold.shared)
    if (const auto done = hold.shared->detach(); !done) return done;
  if (const auto removed = pins_.remove(shared_name(interface)); !removed) return removed;
  return TcFilter::detach(pins_, interface);
}

Result<void> GuardedInterfaces::release_all() {
  const auto all = known();
  if (!all) return Failure(all.error());
  for (const uint32_t index : *all)
    if (const auto done = release(index); !done) return done;
  guarded_.clear();
  return {};
}

}  // namespace palang
