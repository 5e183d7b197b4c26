#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/time.hpp"
#include "model/firewall_settings.hpp"
#include "model/settings.hpp"
#include "net/ports.hpp"
#include "net/prefix.hpp"

namespace palang {

// [allow] prefixes
struct AllowSettings {
  Prefix prefix;
  std::string note;
  friend bool operator==(const AllowSettings&, const AllowSettings&) = default;
};

// One [[source]]
struct SourceSettings {
  enum class Type : uint8_t { file, journald, kmsg, nflog };
  // Where to begin what was never read before; later a source goes on where it was.
  enum class Start : uint8_t { beginning, end };

  Type type = Type::file;
  std::string path;  // absolute; only for files
  Start start = Start::beginning;
  uint32_t group = 0;  // only for nflog
  friend bool operator==(const SourceSettings&, const SourceSettings&) = default;
};

// [public]: ports that are open to the public (see Scope in model/decision.hpp).
struct PublicSettings {
  PublicPorts declared;
  bool detect = true;  // find the ports on which services listen, too
  friend bool operator==(const PublicSettings&, const PublicSettings&) = default;
};

// [rules]: what is understood of service logs.
struct RulesSettings {
  bool shipped = true;                                          // the rules that come with palang
  std::vector<std::string> directories{"/etc/palang/rules.d"};  // later files override earlier ones by name
  std::vector<std::string> enabled{"*"};                        // by name; may end with *
  std::vector<std::string> disabled;                            // likewise; wins
  std::string fail2ban;                                         // a fail2ban configuration whose jails are loaded, too
  bool follow = true;                                           // read the log files that rules name
  friend bool operator==(const RulesSettings&, const RulesSettings&) = default;
};

// [enforce]
struct EnforceSettings {
  // `automatic`: XDP where the drivers have it, else nftables.
  enum class Backend : uint8_t { automatic, xdp, nftables, ipset, dry_run };
  Backend backend = Backend::automatic;
  bool nftables_too = false;            // besides XDP, for what comes in by other interfaces
  std::vector<std::string> interfaces;  // for XDP; empty: those that default routes lead to
  std::string bpffs = "/sys/fs/bpf";    // a BPF file system, in which `palang` is made
  friend bool operator==(const EnforceSettings&, const EnforceSettings&) = default;
};

// [ledger]
struct LedgerSettings {
  std::string path = "/var/lib/palang/palang.db";
  Duration keep = one_day * 365;  // how long ended decisions and their evidence stay
  friend bool operator==(const LedgerSettings&, const LedgerSettings&) = default;
};

// [api]
struct ApiSettings {
  std::string socket = "/run/palang/palang.sock";
  std::string group = "palang";
  friend bool operator==(const ApiSettings&, const ApiSettings&) = default;
};

// [log]
struct LogSettings {
  LogLevel level = LogLevel::info;
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

// All that may be tuned, validated whole; share it as const.
struct Config {
  std::string profile = "default";  // "default", "classic", or "custom" where single keys depart from the profile
  PolicySettings policy;            // policy.allow: the prefixes of `allow`
  std::vector<AllowSettings> allow;
  PublicSettings open;
  std::vector<SourceSettings> sources;  // empty: find out what the host has
  RulesSettings rules;
  EnforceSettings enforce;
  std::optional<FirewallSettings> firewall;
  LedgerSettings ledger;
  ApiSettings api;
  LogSettings log;
  friend bool operator==(const Config&, const Config&) = default;
};

inline constexpr std::string_view default_config_path = "/etc/palang/palang.toml";

// Reads TOML text. The error (bad_config) has one line for each fault of the file, in the file's order:
//   "/etc/palang/palang.toml:12: ban.fro: no such key; did you mean ban.for?"
[[nodiscard]] Result<Config> parse_config(std::string_view text, std::string_view file_name);

// Reads the file that was named, or the one at `default_path`, which may be missing: then the defaults hold.
// Any error is a bad_config.
[[nodiscard]] Result<Config> load_config(const std::optional<std::string>& named,
                                         std::string_view default_path = default_config_path);

// A complete palang.toml that changes nothing: every key with its documentation, unit, range and default. Defaults
// stand commented out ("#for = ..."), so that a file made of it follows its profile.
[[nodiscard]] std::string config_reference();

// The sections and keys that differ and that a running daemon can't take on.
[[nodiscard]] std::vector<std::string> changes_that_take_a_restart(const Config& was, const Config& is);

// What the configuration amounts to, a few short lines for people.
[[nodiscard]] std::string describe(const Config& config);

}  // namespace palang
