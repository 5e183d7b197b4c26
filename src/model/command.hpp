#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "model/decision.hpp"
#include "model/source.hpp"
#include "model/store.hpp"

namespace palang {

// What a client may ask of the daemon, and what it gets back. api/ carries these over HTTP as JSON,
// cli/ shows them to people, app/ answers them.

struct GetStatus {};

struct ListBans {
  std::optional<Prefix> within;  // only decisions inside (or around) this prefix
  std::optional<Rule> rule;
  std::optional<Scope> scope;
  std::optional<Origin> origin;
  enum class Order : uint8_t { until, from, hits, prefix };
  Order order = Order::from;  // newest first; until: soonest first; hits: most first; prefix: ascending
  uint64_t limit = 0;         // 0: all
};

struct ListAllowed {
  std::optional<Prefix> within;  // only those inside (or around) this prefix
};

struct ExplainAddress {  // `palang why`
  Address address;
};

struct GetProgress {  // how far an address is from the thresholds
  Address address;
};

struct BanPrefix {
  Prefix prefix;
  std::optional<Duration> length;  // none: as the policy says
  std::optional<Scope> scope;      // none: full, an admin's word is proof enough
  std::string reason;
};

struct UnbanPrefix {
  std::optional<Prefix> prefix;  // none: everyone
};

struct AllowPrefix {
  Prefix prefix;
  std::optional<Duration> length;  // none: without end
  std::string note;
};

struct DisallowPrefix {
  Prefix prefix;
};

struct ReloadConfig {};

struct StopDaemon {
  bool lift = false;  // take everything out of the kernel first
};

using Command = std::variant<GetStatus, ListBans, ListAllowed, ExplainAddress, GetProgress, BanPrefix, UnbanPrefix,
                             AllowPrefix, DisallowPrefix, ReloadConfig, StopDaemon>;

// The replies.

struct SourceStatus {
  std::string name;
  SourceCounters counters;
  std::string trouble;  // empty: all is well
};

struct NamedCount {
  std::string name;
  uint64_t count = 0;
};

// How XDP guards one interface.
struct InterfaceStatus {
  std::string name;
  std::string mode;                  // "native", "generic", "shared" (libxdp's dispatcher), "tc"; empty: not at all
  std::vector<std::string> reasons;  // why not a better one, a sentence each
};

// What the enforcement came to, and what it costs.
struct EnforcementStatus {
  std::vector<InterfaceStatus> interfaces;  // with XDP
  std::vector<std::string> reasons;         // why it is not a better enforcer, a sentence each
  uint64_t kernel_bytes = 0;                // of XDP's tables; 0: not known
  uint64_t runs = 0;                        // of the XDP program, while the kernel measured (kernel.bpf_stats_enabled)
  uint64_t run_ns = 0;                      // their time
  std::vector<NamedCount> packets;          // by what XDP did with them
};

struct StatusReply {
  std::string version;
  int64_t pid = 0;
  WallTime started;
  std::string profile;   // "default", "classic", "custom"
  std::string enforcer;  // "xdp", "nftables", "xdp and nftables", "ipset", "dry-run"
  EnforcementStatus enforcement;
  uint64_t bans_intended = 0;  // active decisions
  uint64_t bans_in_kernel = 0;
  uint64_t quiet = 0;
  uint64_t full = 0;
  uint64_t allowed = 0;
  std::vector<SourceStatus> sources;
  std::vector<NamedCount> counters;   // lines, judged, stopped, broken, ...: everything that is counted
  std::vector<std::string> open_tcp;  // ports open to the public as we see them, "80", "443"
  std::vector<std::string> open_udp;
  std::vector<std::string> protected_now;  // exempt without being configured: "203.0.113.7 (live ssh peer)"
  std::vector<std::string> troubles;       // sentences; empty: healthy
};

struct BanView {
  Decision decision;
  std::string note;
  uint64_t hits = 0;   // packets stopped, as far as known
  WallTime last_seen;  // last evidence or knock
};

struct BansReply {
  std::vector<BanView> bans;
  uint64_t total = 0;  // that match, before the limit
};

// Who is never banned, and who says so.
struct AllowedView {
  Prefix prefix;
  std::string by;  // "configuration"; "command"; "host": a live ssh peer, a gateway, an own address, …
  WallTime from;   // of commands
  WallTime until = WallTime::max();
  std::string note;  // an admin's; of "host" the reason
};

struct AllowedReply {
  std::vector<AllowedView> allowed;  // by prefix; one may stand there for several reasons
};

struct PastView {
  Decision decision;  // `until` is when it really ended
  std::string note;
  std::string how_it_ended;  // "ended", "lifted", "absorbed", "evicted"; empty: active
};

struct ExplainReply {
  Address address;
  std::optional<BanView> ban;       // the decision that stops it now
  std::string exempt;               // why it is never banned, or empty
  std::vector<PastView> decisions;  // all that ever covered it, newest first
  std::vector<Evidence> evidence;   // newest first, bounded
  std::vector<std::string> advice;  // what to do, one sentence each, with the command
};

// What a rule has counted of an address, or of its network.
struct Progress {
  Rule rule = Rule::blocked;
  Prefix subject;
  uint32_t count = 0;
  uint32_t enough = 0;  // so many are a finding
  Duration within{0};   // or until a full bucket is empty
  WallTime newest;
};

struct ProgressReply {
  Address address;
  std::vector<Progress> counts;
};

struct BanReply {
  BanView ban;
};

struct CountReply {  // unban, allow, disallow: how many decisions it lifted
  uint64_t lifted = 0;
};

struct DoneReply {
  std::vector<std::string> notes;  // sentences for the admin
};

using Reply =
    std::variant<StatusReply, BansReply, AllowedReply, ExplainReply, ProgressReply, BanReply, CountReply, DoneReply>;

// Answers commands; called on the loop thread only.
class CommandHandler {
 public:
  virtual ~CommandHandler() = default;
  [[nodiscard]] virtual Result<Reply> handle(const Command& command) = 0;
};

}  // namespace palang
