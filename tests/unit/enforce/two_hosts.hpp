#pragma once

#include <memory>
#include <string>
#include <vector>

#include "enforce/nft_enforcer.hpp"
#include "namespaces.hpp"

namespace palang::testing {

// `ours`, with an enforcer, and `theirs`, joined by a cable. Every test is skipped where that can't be had.
class TwoHosts : public ::testing::Test {
 protected:
  static constexpr const char* our_v4 = "192.0.2.1";
  static constexpr const char* our_v6 = "2001:db8::1";
  static constexpr const char* their_v4 = "198.51.100.7";
  static constexpr const char* their_v6 = "2001:db8:1::7";

  void SetUp() override;
  // On our host, which this thread is on at that time.
  virtual Result<std::unique_ptr<Enforcer>> open_enforcer();

  // Sockets that stay on the host where they were made, whoever uses them. Null on failure.
  static Fd listener(const Namespace& host, const char* address, uint16_t port);
  static Fd udp(const Namespace& host, const char* address, uint16_t port);

  // What becomes of a TCP connection attempt within a third of a second.
  enum class Answer { accepted, refused, silence };
  struct Attempt {
    Answer answer;
    Fd socket;
  };
  static Attempt connect(const Namespace& from, const char* address, uint16_t port);
  static Answer knock(const Namespace& from, const char* address, uint16_t port) {
    return connect(from, address, port).answer;
  }
  static Fd accept(const Fd& listener);
  // Whether what one end says is heard at the other.
  static bool hears(const Fd& speaker, const Fd& hearer);
  // The error that the network reports to a socket, soon; 0 for none.
  static int error_on(const Fd& socket);
  // Whether an ICMP echo request to an IPv4 address is answered.
  static bool pings(const Namespace& from, const char* address);

  void ban(const char* prefix, Scope scope);
  void lift(const char* prefix);
  // Allows prefixes and opens TCP ports; leaves bans.
  void stand(const std::vector<const char*>& allowed, const std::vector<uint16_t>& open_tcp = {});
  uint64_t hits(const char* prefix, Scope scope);

  Namespace ours_;
  Namespace theirs_;
  std::unique_ptr<Enforcer> enforcer_;
  const WallTime now_{std::chrono::sys_days{std::chrono::year{2025} / 1 / 12}};
};

}  // namespace palang::testing
