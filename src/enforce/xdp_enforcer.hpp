#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "enforce/xdp_clock.hpp"
#include "enforce/xdp_program.hpp"
#include "enforce/xdp_table.hpp"
#include "model/enforcer.hpp"
#include "model/settings.hpp"

namespace palang {

// What the program watches out for by itself (the tripwire): packets to ports on which nobody listens.
struct XdpWatch {
  bool tripwire = false;
  uint32_t after = 2;       // packets of one source
  Duration within = 10min;  // at most 18 hours
  Duration ban = one_day;   // the ban that the program makes, a quiet one
  // Packets counted. In a flood beyond that, which is forged for the most part, what is for ports that nobody listens
  // on is dropped rather than answered.
  uint32_t trips_per_second = 5000;
  uint32_t answers_per_second = 250;  // of those counted, so many go on to be refused, the others are dropped, too
  uint32_t bans_per_second = 1000;
  uint32_t bans_per_network = 32;  // of those, in one IPv4 /24 or IPv6 /48
  PortSet heard_tcp;               // somebody listens; open ports need not be named again
  PortSet heard_udp;
  PortSet decoys;  // closed TCP ports at which the program answers for itself; empty: none
  uint32_t decoys_per_second = 10'000;
  // All addresses of this host. With them bans and tripwire leave alone what is only forwarded; without them every
  // destination counts as this host.
  std::optional<std::vector<Address>> own;
  friend bool operator==(const XdpWatch&, const XdpWatch&) = default;
};

// The program for XDP as an enforcer: bans live in its maps, and end there without anybody's help. Each ban is put or
// lifted atomically; a call of many is not one transaction.
//
// Whether the program is attached anywhere is not its business.
class XdpEnforcer final : public Enforcer {
 public:
  struct Policy {  // for knocks, which the program itself takes note of
    Duration quiet = one_day * 2;
    Duration at_most = one_day * 28;
  };
  // Takes over what the program's maps hold.
  [[nodiscard]] static Result<std::unique_ptr<XdpEnforcer>> open(XdpProgram program, const Policy& policy);

  [[nodiscard]] Result<void> apply(std::span<const Change> changes, WallTime now) override;
  // Ends within two units of the clock (some two seconds) of the intended count as equal; so does a later one to which
  // the source's own knocks have moved it.
  [[nodiscard]] Result<ReconcileReport> reconcile(const Intended& intended, Extra extra, WallTime now) override;
  // Exact to a unit of the clock, about a second.
  [[nodiscard]] Result<std::vector<Ban>> held(WallTime now) override;
  [[nodiscard]] Result<std::vector<Hits>> hits(std::span<const Ban> bans) override;
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone) override;

  // Bans that the program made and nobody has moved yet.
  [[nodiscard]] Result<std::vector<Ban>> fresh(WallTime now);
  // When the kernel's clock showed this; `now` is the wall clock's.
  [[nodiscard]] WallTime time_of(uint64_t jiffies, WallTime now);

  void use_policy(const Policy& policy);
  [[nodiscard]] Result<void> watch(const XdpWatch& watch);

  [[nodiscard]] const XdpProgram& program() const { return program_; }
  [[nodiscard]] const XdpTable& table() const { return table_; }
  // By palang_verdict, over all processors.
  [[nodiscard]] Result<std::vector<uint64_t>> counters() const;

 private:
  XdpEnforcer(XdpProgram program, XdpTable table, XdpClock clock, MappedMemory ports, MappedMemory hint)
      : program_(std::move(program)),
        table_(std::move(table)),
        clock_(clock),
        ports_(std::move(ports)),
        allow_hint_(std::move(hint)) {}

  [[nodiscard]] uint32_t word_of(const Ban& ban, const XdpClock::Reading& clock) const;
  [[nodiscard]] bool agrees(uint32_t present, uint32_t wanted, uint32_t now) const;
  [[nodiscard]] Result<void> reconcile_bans(std::span<const Ban> bans, Extra extra, const XdpClock::Reading& clock,
                                            WallTime now, ReconcileReport& report);
  [[nodiscard]] Result<void> remove_others(std::span<const Ban> bans, WallTime now, ReconcileReport& report);
  [[nodiscard]] Result<void> reconcile_allowed(std::span<const Allowed> allowed, const XdpClock::Reading& clock,
                                               ReconcileReport& report);
  [[nodiscard]] Result<void> reconcile_own(const std::vector<Address>& own);
  void write_ports();
  void settle_in();

  XdpProgram program_;
  XdpTable table_;
  XdpClock clock_;
  MappedMemory ports_, allow_hint_;
  XdpWatch watch_;
  PublicPorts open_;
  bool quiet_moves_ = false;  // knocks count
};

// "dropped, quiet ban": for people and metrics.
[[nodiscard]] std::string_view xdp_counter_name(size_t verdict);

}  // namespace palang
