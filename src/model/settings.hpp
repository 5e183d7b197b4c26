#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/rule_settings.hpp"
#include "net/ports.hpp"
#include "net/prefix.hpp"

namespace palang {

// What may be tuned, with the defaults. config/ fills these from TOML; the rooms that use them only read.

// [ban.widen]: from the address to its network, once enough distinct offenders share it.
struct WidenSettings {
  uint32_t after = 4;  // distinct offenders, seen while not banned; 1: the network at first sight; 0: never widen
  Duration within = one_day * 28;
  uint8_t to_v4 = 24;  // length of the IPv4 network
  uint8_t to_v6 = 64;  // length of the first IPv6 network; then by 8 bits up to /48, each by distinct children
  friend bool operator==(const WidenSettings&, const WidenSettings&) = default;
};

// [ban]
struct BanSettings {
  Duration first = one_day;         // `for`: length of the first ban of a subject; doubles with each remembered one
  Duration at_most = one_day * 28;  // longest ban, and how far a knock can move an end
  Duration quiet = one_day * 2;     // a knock moves the end to at least this (doubled likewise) from then; 0: never
  Duration remember = one_day * 90;
  WidenSettings widen;
  bool always_full = false;     // `scope = "full"`: even forgeable evidence closes open ports, in so many words
  uint32_t budget = 1'000'000;  // active decisions; the least recently seen unproven go first
  friend bool operator==(const BanSettings&, const BanSettings&) = default;
};

// Settings of a well-known policy, by the name that `profile` takes.
[[nodiscard]] BanSettings default_profile();
// Every offender's whole /24 (IPv6: /64), for 3 days, everywhere; no doubling, no knocks.
[[nodiscard]] BanSettings classic_profile();

// [detect.blocked]: packets that a firewall refused, per source address.
struct BlockedSettings {
  bool enabled = true;
  uint32_t after = 1;
  Duration within = 10min;
  friend bool operator==(const BlockedSettings&, const BlockedSettings&) = default;
};

// [detect.portscan]: distinct ports, per source address.
struct PortscanSettings {
  bool enabled = true;
  uint32_t ports = 10;
  Duration within = 10min;
  friend bool operator==(const PortscanSettings&, const PortscanSettings&) = default;
};

// [detect.tripwire]: what XDP counts and bans by itself, packets to ports on which nobody listens.
struct TripwireSettings {
  bool enabled = true;
  uint32_t after = 2;
  Duration within = 10min;
  uint32_t bans_per_second = 1'000;
  uint32_t bans_per_network = 32;  // of those
  PortSet decoys;                  // closed TCP ports at which XDP answers, to learn who is real
  friend bool operator==(const TripwireSettings&, const TripwireSettings&) = default;
};

// [detect.connections]: how many connections one address has at a time (CSF's CT_LIMIT).
struct ConnectionSettings {
  uint32_t limit = 0;  // more are an offence; 0: they are not counted
  Duration interval = 30s;
  PortSet ports;  // of ours; none: all
  bool skip_time_wait = false;
  Duration ban = 30min;
  friend bool operator==(const ConnectionSettings&, const ConnectionSettings&) = default;
};

// The rule whose events these are, and how it is judged.
[[nodiscard]] Rule connections_rule();
[[nodiscard]] RuleSettings connections_rule_settings(const ConnectionSettings& settings);

struct DetectSettings {
  BlockedSettings blocked;
  PortscanSettings portscan;
  TripwireSettings tripwire;
  ConnectionSettings connections;
  uint32_t tracked_sources = 1'000'000;  // cap of every table by source address
  friend bool operator==(const DetectSettings&, const DetectSettings&) = default;
};

// What one policy decides by: all that the pure middle needs to know.
struct PolicySettings {
  DetectSettings detect;
  BanSettings ban;
  std::vector<Prefix> allow;
  std::vector<RuleSettings> rules;  // of the loaded rules; events of others are not counted
  friend bool operator==(const PolicySettings&, const PolicySettings&) = default;
};

}  // namespace palang
