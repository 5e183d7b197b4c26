#pragma once

#include <gtest/gtest.h>

#include <string>

#include "golden/api_replies.hpp"
#include "model/command.hpp"

namespace palang {

inline WallTime seconds_of_1970(int64_t seconds) {
  return WallTime{Duration{std::chrono::seconds{seconds}}};
}

inline Decision sample_decision() {
  Decision decision;
  decision.id = 7;
  decision.prefix = *Prefix::parse("198.51.100.0/24");
  decision.from = seconds_of_1970(1'736'616'641);
  decision.until = decision.from + one_day;
  decision.proven_at = decision.from;
  decision.count = 4;
  decision.port = 8083;
  decision.protocol = Protocol::tcp;
  decision.repeat = 1;
  return decision;
}

inline BanView sample_ban() {
  return {sample_decision(), "", 12, seconds_of_1970(1'736'618'400)};
}

inline StatusReply sample_status() {
  StatusReply status;
  status.version = "0.1.0";
  status.pid = 812;
  status.started = seconds_of_1970(1'736'398'800);
  status.profile = "default";
  status.enforcer = "xdp and nftables";
  status.enforcement.interfaces = {{"eth0", "native", {}}, {"wg0", "", {"wg0 carries no Ethernet frames"}}};
  status.enforcement.kernel_bytes = 41'200'000;
  status.enforcement.runs = 1000;
  status.enforcement.run_ns = 38'000;
  status.enforcement.packets = {{"pass", 900}, {"drop_full", 100}};
  status.bans_intended = 1234;
  status.bans_in_kernel = 1233;
  status.quiet = 1200;
  status.full = 34;
  status.allowed = 3;
  status.sources = {{"file:/var/log/kern.log", {123'456, 34'567'890, 1, 0}, ""},
                    {"kmsg", {7, 900, 0, 2}, "open /dev/kmsg: permission denied"}};
  status.counters = {{"judged", 1500}, {"stopped", 266}};
  status.open_tcp = {"22", "80"};
  status.open_udp = {"53"};
  status.protected_now = {"203.0.113.7 (live ssh peer)"};
  status.troubles = {"write to the ledger: no space left on device (ENOSPC)"};
  return status;
}

inline ExplainReply sample_why() {
  ExplainReply why;
  why.address = *Address::parse("198.51.100.9");
  why.ban = sample_ban();
  why.decisions = {{sample_decision(), "", ""}};
  why.evidence = {{seconds_of_1970(1'736'616'641), why.address, Rule::blocked, "SRC=198.51.100.9 \x1b[31m"}};
  why.advice = {"To let it in: palang unban 198.51.100.0/24"};
  return why;
}

inline std::string golden_ban() {
  return std::string("{").append(golden::ban_fields).append(",").append(golden::ban_extras).append("}");
}

}  // namespace palang
