#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "base/time.hpp"
#include "host/listening.hpp"
#include "net/ports.hpp"
#include "net/prefix.hpp"

namespace palang {

// Which ports are open to the public (see Scope in model/decision.hpp): those the admin declares, and those that our
// own policy opens or, without one, on which a local service listens beyond loopback unless blocked lines show that
// another firewall refuses them.
//
// Wrongly leaving a port out would let forged evidence close it to somebody (promise 1), so evidence that it is open
// wins: a port that is declared, or that a stranger was connected to within 28 days, is never left out. Wrongly keeping
// one only leaves its packets to the other firewall. Bounded by the ports there are; what attackers do adds nothing.
class PublicPortTracker {
 public:
  static constexpr Duration refusal_counts_for = one_day * 7;
  static constexpr Duration use_counts_for = one_day * 28;
  static constexpr Duration ephemeral_counts_after = 10min;

  // Without `detect` only the declared ports are open to the public.
  PublicPortTracker(const PublicPorts& declared, bool detect) : declared_(declared), detect_(detect) {}

  // What find_listening() sees now. Ephemeral sockets of the first time count at once: nobody knows how old they are.
  void note_listening(const Listening& listening, WallTime now);

  // A live blocked line says that `port` is closed to everyone. One such line takes a TCP port out; UDP, whose openness
  // no connection could prove, needs lines from two networks (/24, /64). Lines about ports on which nothing listens
  // mean nothing: a service may be started, and let in, later. True: the port has just been taken out.
  bool note_refused(Protocol protocol, uint16_t port, const Address& source, WallTime now);

  // TCP ports that would be public but for a refusal: whether strangers use them is worth a look (established.hpp).
  [[nodiscard]] PortSet refused_tcp(WallTime now) const;
  void note_used_by_strangers(const PortSet& tcp_ports, WallTime now);

  // Our own policy knows what it opens to all: then only that counts, and what is declared. None: there is no policy.
  void use_policy(const std::optional<PublicPorts>& policy) { policy_ = policy; }

  [[nodiscard]] PublicPorts current(WallTime now) const;

 private:
  // The newest refusals, from two different networks at most.
  struct Refusal {
    Prefix network;
    WallTime at;
  };
  struct Evidence {
    std::array<Refusal, 2> refusals;  // `at` 1970: none
    WallTime used_at;                 // by a stranger; 1970: never
  };
  struct Sojourn {
    WallTime since;
    bool counts = false;
  };
  using Evidences = std::map<uint16_t, Evidence>;

  [[nodiscard]] static bool refused(Protocol protocol, const Evidence& evidence, WallTime now);
  [[nodiscard]] PortSet without_refused(Protocol protocol, WallTime now) const;
  [[nodiscard]] const Evidences& evidences(Protocol protocol) const { return protocol == Protocol::tcp ? tcp_ : udp_; }

  PublicPorts declared_;
  bool detect_;
  std::optional<PublicPorts> policy_;
  bool listened_ = false;
  PublicPorts listening_;
  std::map<EphemeralSocket, Sojourn> ephemeral_;
  Evidences tcp_;
  Evidences udp_;
};

}  // namespace palang
