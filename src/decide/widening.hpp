#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/seeded_table.hpp"
#include "model/settings.hpp"
#include "net/prefix.hpp"

namespace palang {

// How wide a decision is: the address itself, or its network once enough distinct offenders of it fell. IPv6 goes on
// from network to network by distinct children. Bounded in networks, and in children per network.
class Widening {
 public:
  Widening(const WidenSettings& settings, HashSeed seed, uint32_t most_networks)
      : settings_(settings), networks_(seed), most_networks_(most_networks) {}

  // Notes that `offender` fell at `at`, and says what the decision should cover.
  [[nodiscard]] Prefix subject_for(const Address& offender, WallTime at);
  // What subject_for() would say, without noting anything.
  [[nodiscard]] Prefix would_be_subject(const Address& offender, WallTime at) const;
  // A decision of the past, oldest first: as if it had been made by subject_for().
  void remember(const Prefix& subject, WallTime at);

  void use(const WidenSettings& settings) { settings_ = settings; }
  void prefetch_index(const Address& offender) const {
    if (const auto network = parent_of(Prefix::of(offender))) networks_.prefetch_index(*network);
  }
  void prefetch_entry(const Address& offender) const {
    if (const auto network = parent_of(Prefix::of(offender))) networks_.prefetch_entry(*network);
  }

  [[nodiscard]] uint64_t evicted() const { return evicted_; }

 private:
  struct Child {
    uint64_t host_bits = 0;  // the child's bits below the network, its lowest 64
    uint32_t at = 0;         // seconds since 1970
  };

  // The next wider network that decisions about `inner` can grow to.
  [[nodiscard]] std::optional<Prefix> parent_of(const Prefix& inner) const;
  // Notes a fallen child; whether its network has now `after` distinct ones within the window.
  bool note(const Prefix& network, const Prefix& child, WallTime at);
  // Whether it would have them with this one.
  [[nodiscard]] bool would_have_enough(const Prefix& network, const Prefix& child, WallTime at) const;
  [[nodiscard]] bool is_over(const Child& child, WallTime at) const {
    return WallTime{std::chrono::seconds{child.at}} + settings_.within <= at;
  }

  WidenSettings settings_;
  SeededTable<Prefix, std::vector<Child>> networks_;
  uint32_t most_networks_;
  uint64_t evicted_ = 0;
};

}  // namespace palang
