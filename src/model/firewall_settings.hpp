#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "net/prefix.hpp"

namespace palang {

// [firewall]: the standing policy. config/ fills and validates it, firewall/ makes nftables of it.

// Both ends included; 1 to 65535.
struct PortSpan {
  uint16_t first = 0;
  uint16_t last = 0;
  friend auto operator<=>(const PortSpan&, const PortSpan&) = default;
};
using PortSpans = std::vector<PortSpan>;

// "100/second burst 150"
struct Rate {
  uint32_t count = 1;
  Duration per = 1s;   // whole seconds
  uint32_t burst = 0;  // 0: as many as `count`
  friend bool operator==(const Rate&, const Rate&) = default;
};

// Where in the file something was written, for complaints that only come up later; equal to any other.
struct Written {
  uint32_t line = 0;
  friend bool operator==(const Written&, const Written&) { return true; }
};

enum class FirewallProtocol : uint8_t { any, tcp, udp, icmp };  // icmp: ICMPv6, too
enum class FirewallDirection : uint8_t { in, out };

// The other side of a connection.
struct FirewallPeer {
  enum class Kind : uint8_t { prefix, list, host };
  Kind kind = Kind::prefix;
  Prefix prefix;     // only for prefix
  std::string name;  // of a [[firewall.list]], or a host's name
  friend bool operator==(const FirewallPeer&, const FirewallPeer&) = default;
};

// [[firewall.rule]]
struct FirewallRule {
  enum class Action : uint8_t { allow, deny };
  Action action = Action::allow;
  FirewallDirection direction = FirewallDirection::in;
  FirewallProtocol protocol = FirewallProtocol::any;
  PortSpans ports;                  // of the destination; empty: all
  PortSpans source_ports;           // empty: all
  std::vector<FirewallPeer> peers;  // empty: anyone
  std::string user;                 // only out: who sends; "": anyone
  std::string group;
  std::optional<WallTime> until;
  std::string note;
  Written written;
  friend bool operator==(const FirewallRule&, const FirewallRule&) = default;
};

// [[firewall.limit]]: per source (IPv6: its /64)
struct FirewallLimit {
  FirewallProtocol protocol = FirewallProtocol::tcp;  // tcp or udp
  PortSpans ports;
  uint32_t connections = 0;  // at once; 0: no limit
  std::optional<Rate> rate;  // of new connections
  Written written;
  friend bool operator==(const FirewallLimit&, const FirewallLimit&) = default;
};

// [[firewall.list]]
struct FirewallList {
  enum class Action : uint8_t {
    allow,   // never judged, passes everything
    deny,    // refused
    ignore,  // never judged; passes nothing more than others
    none,    // only a name for rules to use
  };
  std::string name;
  std::string file;  // absolute; of file and url one is empty
  std::string url;
  Action action = Action::none;
  Duration refresh = one_day;  // for url
  uint32_t most = 100'000;     // entries
  Written written;
  friend bool operator==(const FirewallList&, const FirewallList&) = default;
};

// [[firewall.knock]]
struct FirewallKnock {
  PortSpan opens;
  FirewallProtocol protocol = FirewallProtocol::tcp;  // of the knocks and of what they open: tcp or udp
  std::vector<uint16_t> sequence;
  Duration within = 15s;  // from one knock to the next
  Duration opens_for = 1h;
  Written written;
  friend bool operator==(const FirewallKnock&, const FirewallKnock&) = default;
};

// [[firewall.redirect]]
struct FirewallRedirect {
  FirewallProtocol protocol = FirewallProtocol::tcp;
  std::optional<Address> address;  // ours; none: any
  uint16_t port = 0;
  std::optional<Address> to_address;  // none: this host
  uint16_t to_port = 0;
  Written written;
  friend bool operator==(const FirewallRedirect&, const FirewallRedirect&) = default;
};

// [firewall.smtp]: who may send mail to other hosts.
struct FirewallSmtp {
  PortSpans ports;  // empty: no restriction
  std::vector<std::string> users;
  std::vector<std::string> groups;
  friend bool operator==(const FirewallSmtp&, const FirewallSmtp&) = default;
};

struct FirewallSettings {
  enum class Policy : uint8_t { accept, drop, reject };
  enum class Log : uint8_t { none, csf };
  enum class Docker : uint8_t { leave, filter };

  Policy policy = Policy::drop;  // of what comes in and no rule opens: drop or reject
  Policy out_policy = Policy::accept;
  bool ipv6 = true;  // false: refused but for loopback, neighbour discovery and what is established
  bool answers_ping = true;
  bool ping_out = true;
  Log log = Log::none;
  bool drop_invalid = true;
  Docker docker = Docker::leave;
  bool protect = true;
  uint32_t nflog_group = 1111;  // 0: refused packets are not judged
  PortSpans tcp_in;             // open to all
  PortSpans udp_in;
  PortSpans tcp_out;  // where out_policy isn't accept
  PortSpans udp_out;
  std::optional<Rate> ping = Rate{1, 1s, 0};  // per source
  Rate log_rate{30, 1min, 0};
  std::optional<Rate> syn_flood;         // per source
  std::optional<Rate> syn_flood_global;  // of all together
  std::optional<Rate> udp_flood;         // what this host sends, per destination
  PortSpans syn_proxy;
  std::vector<std::string> raw_before;  // absolute paths
  std::vector<std::string> raw_after;
  Duration confirm_within = 60s;

  std::vector<FirewallRule> rules;
  std::vector<FirewallLimit> limits;
  std::vector<FirewallList> lists;
  std::vector<FirewallKnock> knocks;
  std::vector<FirewallRedirect> redirects;
  FirewallSmtp smtp;
  Written written;
  friend bool operator==(const FirewallSettings&, const FirewallSettings&) = default;
};

}  // namespace palang
