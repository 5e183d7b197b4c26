#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/source.hpp"

struct mnl_socket;
struct nlmsghdr;

namespace palang {

// The names of interfaces by number, looked up anew every few seconds: interfaces come, go and are renamed.
class InterfaceNames {
 public:
  // "" for 0; "if7" where there is none any more. Valid until the next forget_old().
  [[nodiscard]] std::string_view of(uint32_t index);
  void forget_old(WallTime now);

 private:
  std::unordered_map<uint32_t, std::string> names_;
  WallTime since_;
};

// Packets that a firewall logs by NFLOG (`log group 7`, -j NFLOG --nflog-group 7), in the network namespace in which it
// was opened. The kernel hands over the headers only, each packet at once; in a flood, many at a time.
class Nflog final : public Source {
 public:
  // Error: no CAP_NET_ADMIN, or another program is bound to the group (one at a time can be).
  [[nodiscard]] static Result<std::unique_ptr<Nflog>> open(uint16_t group, const Clock& clock);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override;
  [[nodiscard]] Result<void> read(Batch& batch) override;
  // The kernel keeps no packet for a reader that is away: there is nothing to go on from.
  [[nodiscard]] Position position() const override { return {name_, ""}; }
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  using Socket = std::unique_ptr<mnl_socket, Close>;
  // How the kernel is to hand packets over.
  enum class Pace : uint8_t { at_once, many_at_a_time };

  Nflog(Socket socket, uint16_t group, const Clock& clock);

  [[nodiscard]] Result<void> configure(Pace pace, bool first);
  [[nodiscard]] Result<void> await_acknowledgement();
  void take_datagram(std::span<const char> datagram, WallTime now, Batch& batch);
  void take_packet(const nlmsghdr* message, WallTime now, Batch& batch);
  void count_lost(uint32_t sequence);
  void warn_of_loss(WallTime now);
  void adapt(size_t packets, WallTime now);

  std::string name_;
  Socket socket_;
  uint16_t group_;
  const Clock& clock_;
  std::unique_ptr<char[]> buffer_;
  InterfaceNames interfaces_;
  SourceCounters counters_;
  uint32_t next_sequence_ = 0;
  Pace pace_ = Pace::at_once;
  WallTime measured_since_;
  uint64_t measured_ = 0;  // packets since then
  uint64_t warned_of_ = 0;
  WallTime warned_at_;
};

}  // namespace palang
