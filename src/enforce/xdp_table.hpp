#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/hash.hpp"
#include "bpf/abi.h"
#include "enforce/xdp_gate.hpp"
#include "enforce/xdp_nets.hpp"
#include "enforce/xdp_pages.hpp"

namespace palang {

class XdpProgram;

// Every ban as the program knows it, by prefix: which of its tables holds it, and the gate bits before them. A word is
// scope, knock and end (bpf/abi.h); 0 is none. One writer, besides the program itself.
class XdpTable {
 public:
  // Takes over what the maps of the program hold. They stay the program's.
  [[nodiscard]] static Result<XdpTable> open(const XdpProgram& program);

  // Adds or replaces; whatever was counted of the prefix begins anew. `now` in units of the program's clock.
  [[nodiscard]] Result<void> put(const Prefix& prefix, uint32_t word, uint32_t now);
  // Many at once, none of which is in it.
  [[nodiscard]] Result<void> load(std::span<const WordedBan> bans, uint32_t now);
  // Whether it was there.
  [[nodiscard]] Result<bool> remove(const Prefix& prefix);
  [[nodiscard]] palang_ban find(const Prefix& prefix) const;
  [[nodiscard]] Result<std::vector<WordedBan>> all() const;
  // What the program made and nobody has moved yet.
  [[nodiscard]] std::vector<WordedBan> fresh() const;
  void prefetch(const Prefix& prefix) const {
    if (prefix.is_v4() && prefix.is_single()) pages_.prefetch_bucket(prefix.address().v4_bits());
  }

  // Removes what is over, a portion at a time; does nothing more than once per unit of the clock.
  [[nodiscard]] Result<void> sweep(uint32_t portions, uint32_t now);
  [[nodiscard]] Result<void> clear();

  [[nodiscard]] uint64_t size() const { return pages_.size() + nets4_.size() + nets6_.size(); }
  // Including what the program made and nobody has moved yet.
  [[nodiscard]] uint64_t size_with_fresh() const { return size() + fresh().size(); }
  // Memory of the kernel that the bans take.
  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] palang_settings& settings() const { return *settings_memory_.as<palang_settings>(); }

 private:
  XdpTable(MappedMemory settings, MappedMemory budget, XdpGate gate, XdpPages pages, XdpNets nets4, XdpNets nets6,
           int fresh)
      : settings_memory_(std::move(settings)),
        budget_memory_(std::move(budget)),
        gate_(std::move(gate)),
        pages_(std::move(pages)),
        nets4_(std::move(nets4)),
        nets6_(std::move(nets6)),
        fresh_(fresh) {}

  [[nodiscard]] Result<void> make_room(uint64_t singles, uint32_t now);
  [[nodiscard]] Result<void> put_single4(const Prefix& prefix, uint32_t word, uint32_t now);
  [[nodiscard]] Result<void> put_net(const Prefix& prefix, uint32_t word);
  [[nodiscard]] Result<void> bring_back_overflowed();
  void use_length(const Prefix& prefix);
  [[nodiscard]] bool forget_fresh(const Prefix& prefix);
  [[nodiscard]] Result<void> sweep_nets(XdpNets& nets, uint32_t now);
  [[nodiscard]] Result<void> tidy_gate();
  [[nodiscard]] uint64_t overflowed() const { return nets4_.size_of_length(32); }

  MappedMemory settings_memory_, budget_memory_;
  XdpGate gate_;
  XdpPages pages_;
  XdpNets nets4_, nets6_;
  int fresh_;
  uint64_t fresh_forgotten_ = 0;  // of those that the program counts as made
  uint64_t stale_ = 0;            // bans that went since the gate was tidied up
  uint32_t sweeps_ = 0;
  uint32_t swept_at_ = 0;
};

}  // namespace palang
