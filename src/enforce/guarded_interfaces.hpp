#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "enforce/bpffs.hpp"
#include "enforce/tc_filter.hpp"
#include "enforce/xdp_link.hpp"
#include "enforce/xdp_shared.hpp"
#include "model/interface.hpp"

namespace palang {

// How the gate hangs on an interface, the cheapest first.
enum class GateMode : uint8_t { native, shared, generic, classifier };
[[nodiscard]] std::string_view gate_mode_name(GateMode mode);

// The gate's programs, loaded, on the same tables.
struct GatePrograms {
  int xdp = -1;
  int classifier = -1;
  const OpensGate* opens = nullptr;  // for libxdp, which loads a program of its own
};

// Why the careful leave an interface alone that merges packets.
inline constexpr std::string_view merging_reason =
    "native XDP would keep it from merging received packets, at the cost of bulk transfers";

struct GuardedInterface {
  Interface interface;
  std::optional<GateMode> mode;      // none: it could not be had
  std::vector<std::string> reasons;  // why not a better one, a sentence each
};

// Hangs the gate on interfaces, each in the best way it offers, and keeps it there.
class GuardedInterfaces {
 public:
  // Which ways are fit. `harmless`: only those that cost the packets of nobody else, native XDP on a device that
  // doesn't merge received packets (docs/decisions/0014-when-auto-takes-xdp.md).
  enum class Ways : uint8_t { all, harmless };
  GuardedInterfaces(Bpffs pins, Ways ways) : pins_(std::move(pins)), ways_(ways) {}

  // Makes `wanted` the interfaces that are guarded, by `programs`. What guards them already is replaced without a gap
  // if `renew`; what is still in force then stays as it is otherwise.
  enum class Renew : uint8_t { no, yes };
  void guard(std::span<const Interface> wanted, const GatePrograms& programs, Renew renew);
  // Indexes of the interfaces that an earlier daemon guarded, or this one does.
  [[nodiscard]] Result<std::vector<uint32_t>> known() const;
  [[nodiscard]] Result<void> release_all();

  [[nodiscard]] const std::vector<GuardedInterface>& all() const { return guarded_; }
  [[nodiscard]] const Bpffs& pins() const { return pins_; }

 private:
  struct Hold {  // one of them
    std::optional<XdpLink> link;
    std::optional<TcFilter> filter;
    std::optional<SharedXdp> shared;
  };
  using Reasons = std::vector<std::string>;

  [[nodiscard]] GuardedInterface guard_one(const Interface& interface, const GatePrograms& programs, Renew renew);
  [[nodiscard]] std::optional<GateMode> keep(uint32_t interface, const GatePrograms& programs, Renew renew,
                                             Reasons& reasons);
  [[nodiscard]] std::optional<GateMode> attach(const Interface& interface, const GatePrograms& programs,
                                               Reasons& reasons);
  [[nodiscard]] std::optional<GateMode> share(uint32_t interface, const GatePrograms& programs, Reasons& reasons);
  [[nodiscard]] bool link(uint32_t interface, int program, XdpMode mode, Reasons& reasons);
  [[nodiscard]] Result<void> release(uint32_t interface);

  Bpffs pins_;
  Ways ways_;
  std::map<uint32_t, Hold> holds_;  // by index
  std::vector<GuardedInterface> guarded_;
};

}  // namespace palang
