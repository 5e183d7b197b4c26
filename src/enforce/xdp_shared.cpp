#include "enforce/xdp_shared.hpp"

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <cstdarg>
#include <string_view>
#include <vector>

namespace palang {
namespace {

constexpr std::string_view gate_section = "xdp";
constexpr std::string_view gate_name = "palang_xdp";
constexpr unsigned first = 10;  // its place among the others: libxdp's default is 50, the lowest comes first

struct CloseProgram {
  void operator()(xdp_program* program) const { xdp_program__close(program); }
};
using Program = std::unique_ptr<xdp_program, CloseProgram>;

struct CloseDispatcher {
  void operator()(xdp_multiprog* dispatcher) const { xdp_multiprog__close(dispatcher); }
};
using Dispatcher = std::unique_ptr<xdp_multiprog, CloseDispatcher>;

// What it would print is told by the errors of its calls.
int say_nothing(libxdp_print_level, const char*, va_list) {
  return 0;
}

// Null: there is none, or it can't be seen.
Dispatcher dispatcher_of(uint32_t interface) {
  libxdp_set_print(say_nothing);
  xdp_multiprog* const found = xdp_multiprog__get_from_ifindex(static_cast<int>(interface));
  if (libxdp_get_error(found) != 0) return nullptr;
  Dispatcher dispatcher(found);
  return xdp_multiprog__is_legacy(found) ? nullptr : std::move(dispatcher);
}

// Programs of a dispatcher that are ours; valid as long as the dispatcher.
std::vector<xdp_program*> gates_of(const xdp_multiprog& dispatcher) {
  std::vector<xdp_program*> ours;
  for (xdp_program* one = xdp_multiprog__next_prog(nullptr, &dispatcher); one != nullptr;
       one = xdp_multiprog__next_prog(one, &dispatcher))
    if (gate_name == xdp_program__name(one)) ours.push_back(one);
  return ours;
}

Failure refusal(std::string_view operation, long cause) {
  return fail_os(operation, "the gate behind libxdp's dispatcher", static_cast<int>(cause < 0 ? -cause : cause));
}

}  // namespace

void CloseBpfObject::operator()(bpf_object* object) const {
  bpf_object__close(object);
}

Result<SharedXdp> SharedXdp::attach(uint32_t interface, const OpensGate& opens) {
  const Dispatcher dispatcher = dispatcher_of(interface);
  if (!dispatcher)
    return fail("it is not attached through libxdp's dispatcher, or this process may not see it (CAP_SYS_ADMIN)");
  const auto object = opens();
  if (!object) return Failure(object.error());
  xdp_program* const made = xdp_program__from_bpf_obj(object->get(), gate_section.data());
  if (const long cause = libxdp_get_error(made); cause != 0) return refusal("prepare", cause);
  const Program program(made);
  if (const int cause = xdp_program__set_run_prio(made, first); cause != 0) return refusal("order", cause);
  if (const int cause = xdp_program__set_chain_call_enabled(made, XDP_PASS, true); cause != 0)
    return refusal("order", cause);
  const auto mode = xdp_multiprog__attach_mode(dispatcher.get());
  if (const int cause = xdp_program__attach(made, static_cast<int>(interface), mode, 0); cause != 0)
    return refusal("attach", cause);
  return SharedXdp(interface, xdp_program__id(made));
}

std::optional<SharedXdp> SharedXdp::find(uint32_t interface) {
  const Dispatcher dispatcher = dispatcher_of(interface);
  if (!dispatcher) return std::nullopt;
  const auto ours = gates_of(*dispatcher);
  if (ours.empty()) return std::nullopt;
  return SharedXdp(interface, xdp_program__id(ours.back()));
}

Result<void> SharedXdp::replace(const OpensGate& opens) {
  const auto fresh = attach(interface_, opens);
  if (!fresh) return Failure(fresh.error());
  SharedXdp old = *this;
  *this = *fresh;
  return old.detach();
}

Result<void> SharedXdp::detach() {
  const Dispatcher dispatcher = dispatcher_of(interface_);
  if (!dispatcher) return {};
  const auto mode = xdp_multiprog__attach_mode(dispatcher.get());
  for (xdp_program* const one : gates_of(*dispatcher)) {
    if (xdp_program__id(one) != program_id_) continue;
    if (const int cause = xdp_program__detach(one, static_cast<int>(interface_), mode, 0); cause != 0)
      return refusal("take out", cause);
  }
  return {};
}

bool SharedXdp::is_alive() const {
  const Dispatcher dispatcher = dispatcher_of(interface_);
  if (!dispatcher) return false;
  const auto ours = gates_of(*dispatcher);
  return std::ranges::any_of(ours, [&](const xdp_program* one) { return xdp_program__id(one) == program_id_; });
}

}  // namespace palang
