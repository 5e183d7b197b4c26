#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/seeded_table.hpp"
#include "model/settings.hpp"
#include "model/source.hpp"

namespace palang {

// One connection that the kernel tracks, as far as it is counted.
struct TrackedConnection {
  Address source;  // who began it
  Address destination;
  uint16_t port = 0;  // of the destination
  Protocol protocol = Protocol::other;
  uint8_t tcp_state = 0;  // TCP_CONNTRACK_…; 0 for other protocols
};

// What follows the nlmsghdr of a message of ctnetlink (struct nfgenmsg, attributes); none: not a connection over IP.
[[nodiscard]] std::optional<TrackedConnection> read_connection(std::span<const uint8_t> payload);

// How many connections one address has, and how many of them were really established, so that it can't be forged.
struct ConnectionCount {
  uint32_t all = 0;
  uint32_t proven = 0;
  uint16_t port = 0;  // of one of them
};

class ConnectionTally {
 public:
  ConnectionTally(const ConnectionSettings& settings, HashSeed seed) : settings_(settings), table_(seed) {}

  void add(const TrackedConnection& connection);
  // An event for each address above the limit: with the proof of a handshake if its established connections alone are.
  void tell(WallTime now, std::vector<Event>& events) const;
  [[nodiscard]] size_t connections() const { return connections_; }
  // Addresses that found no room.
  [[nodiscard]] size_t not_counted() const { return not_counted_; }

 private:
  ConnectionSettings settings_;
  SeededTable<Address, ConnectionCount> table_;
  size_t connections_ = 0;
  size_t not_counted_ = 0;
};

// Counts the connections of each address by conntrack's netlink, every `interval`: CSF's CT_LIMIT.
class ConnectionSource final : public Source {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ConnectionSource>> open(const ConnectionSettings& settings, HashSeed seed,
                                                                      const Clock& clock);

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] int fd() const override { return timer_.get(); }
  [[nodiscard]] Result<void> read(Batch& batch) override;
  [[nodiscard]] Position position() const override { return {name_, ""}; }
  [[nodiscard]] SourceCounters counters() const override { return counters_; }

 private:
  ConnectionSource(const ConnectionSettings& settings, HashSeed seed, const Clock& clock)
      : settings_(settings), seed_(seed), clock_(clock) {}
  [[nodiscard]] Result<void> count(ConnectionTally& tally) const;

  std::string name_ = "connections";
  ConnectionSettings settings_;
  HashSeed seed_;
  const Clock& clock_;
  Fd timer_;
  SourceCounters counters_;
};

}  // namespace palang
