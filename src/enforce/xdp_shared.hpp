#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.hpp"

struct bpf_object;

namespace palang {

struct CloseBpfObject {
  void operator()(bpf_object* object) const;
};
using BpfObject = std::unique_ptr<bpf_object, CloseBpfObject>;

// Opens the gate's object for the tables in force, without loading it.
using OpensGate = std::function<Result<BpfObject>()>;

// The gate as one of several XDP programs on an interface, one after another behind libxdp's dispatcher. libxdp keeps
// it in force when the daemon ends. Everything here takes CAP_SYS_ADMIN: only so can the programs of others be seen.
class SharedXdp {
 public:
  // Error: what has the interface is no dispatcher, or can't be seen.
  [[nodiscard]] static Result<SharedXdp> attach(uint32_t interface, const OpensGate& opens);
  // The gate of an earlier daemon; none: there is no dispatcher, or it has no gate.
  [[nodiscard]] static std::optional<SharedXdp> find(uint32_t interface);

  // The new one is put in before the old one is taken out.
  [[nodiscard]] Result<void> replace(const OpensGate& opens);
  [[nodiscard]] Result<void> detach();
  [[nodiscard]] bool is_alive() const;

 private:
  SharedXdp(uint32_t interface, uint32_t program_id) : interface_(interface), program_id_(program_id) {}
  uint32_t interface_;
  uint32_t program_id_;
};

}  // namespace palang
