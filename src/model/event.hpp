#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/rule.hpp"
#include "net/address.hpp"
#include "net/ports.hpp"

namespace palang {

// How sure we are that the address in an Event really sent it. Ordered: a higher proof is a better one.
enum class Proof : uint8_t {
  forgeable,    // a lone SYN, UDP, ICMP: anyone can write any source address
  handshake,    // a TCP connection was completed
  application,  // a service or a WAF saw it misbehave
};

[[nodiscard]] std::string_view proof_name(Proof proof);

// One thing a remote address did: a packet that a firewall refused, or what a rule found in a log line.
struct Event {
  WallTime at;
  Address source;
  uint16_t port = 0;  // destination port; 0 where there is none, or none is known
  Protocol protocol = Protocol::other;
  Proof proof = Proof::forgeable;
  // The line says "closed to everyone" (a default policy), not "refused to this source" (a rate, a list).
  bool port_is_closed = false;
  bool echo = false;  // of a line of which another event about the same source came already: it is one attempt
  // Who saw it has counted so many packets already and calls that an offence (the tripwire). 0: it is to be counted.
  uint32_t counted = 0;
  uint8_t bits = 128;  // fewer: the source is its network of so many bits, as Prefix counts them
  Rule rule = Rule::blocked;
  uint32_t attempts = 1;    // how many the line stands for ("last message repeated 5 times")
  std::string_view user;    // the account it tried, where the rule captures one
  std::string_view target;  // what else it tried: the path of a request
  std::string_view line;    // the evidence; these views are valid only while the event is being observed
};

// "SRC=203.0.113.7 PROTO=TCP DPT=8083", in the words of the kernel's log: the evidence of an event that has no line.
[[nodiscard]] std::string event_text(const Event& event);

}  // namespace palang
