#include "cli/csf_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <vector>

#include "base/text.hpp"
#include "cli/csf_shapes.hpp"
#include "cli/json.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

constexpr std::string_view for_good = "3650d";  // the longest that the daemon takes
constexpr uint64_t longest_ttl = 315'360'000;   // seconds

using Arguments = std::span<const std::string>;

struct CsfRun {
  Arguments arguments;  // behind the option
  const Session& session;
  const CsfPolicy& policy;
  std::string_view version;

  void say(std::string_view text) const { session.console.out << text << "\n"; }
  [[nodiscard]] std::string comment(size_t from) const {
    std::string text;
    for (const std::string& word : arguments.subspan(std::min(from, arguments.size())))
      text += (text.empty() ? "" : " ") + word;
    return text.empty() ? "Manually added" : text;
  }
};

Result<ExitCode> refuse(const CsfRun& run, std::string_view verb, const std::string& text) {
  run.session.console.out << fmt::format("{} failed: [{}] is not a valid PUBLIC IP/CIDR\n", verb, printable(text));
  return ExitCode::fault;
}

// The address that the command is for; none is said, and ends it.
Result<Prefix> address_of(const CsfRun& run) {
  if (run.arguments.empty()) return Failure(Error::usage("an address is missing (csf -h)"));
  return Prefix::parse(run.arguments[0]);
}

Result<BansReply> all_bans(const Session& session, std::string_view within) {
  const auto body =
      session.client.fetch({"GET", Target("/v1/bans").add_if_given("within", within).add("limit", "0"), ""});
  if (!body) return Failure(body.error());
  return read_bans(*body);
}

// By the admin; what the host is like is no entry of a list.
Result<AllowedReply> all_allowed(const Session& session) {
  const auto body = session.client.fetch({"GET", Target("/v1/allow"), ""});
  if (!body) return Failure(body.error());
  auto reply = read_allowed(*body);
  if (reply) std::erase_if(reply->allowed, [](const AllowedView& entry) { return entry.by == "host"; });
  return reply;
}

Result<void> post(const Session& session, std::string_view path, std::string body) {
  const auto reply = session.client.fetch({"POST", Target(path), std::move(body)});
  if (!reply) return Failure(reply.error());
  return {};
}

// False: there was none.
Result<bool> remove(const Session& session, std::string_view path, const Prefix& prefix) {
  const auto reply = session.client.fetch({"DELETE", Target(path).add("prefix", prefix.text()), ""});
  if (reply) return true;
  if (reply.error().kind == ErrorKind::not_found) return false;
  return Failure(reply.error());
}

Result<ExitCode> add(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return run.arguments.empty() ? Failure(prefix.error()) : refuse(run, "add", run.arguments[0]);
  const auto done = post(run.session, "/v1/allow", body_json({{"prefix", prefix->text()}, {"note", run.comment(1)}}));
  if (!done) return Failure(done.error());
  run.say(fmt::format("Adding {} to csf.allow and iptables ACCEPT...", prefix->text()));
  run.say(accept_lines(*prefix));
  return ExitCode::ok;
}

Result<ExitCode> add_remove(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return Failure(Error::usage(prefix.error().text));
  const auto removed = remove(run.session, "/v1/allow", *prefix);
  if (!removed) return Failure(removed.error());
  if (!*removed) {
    run.say(fmt::format("csf: {} not found in csf.allow", prefix->text()));
    return ExitCode::not_found;
  }
  run.say("Removing rule...\n" + accept_lines(*prefix));
  return ExitCode::ok;
}

Result<ExitCode> deny(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return run.arguments.empty() ? Failure(prefix.error()) : refuse(run, "deny", run.arguments[0]);
  const auto done =
      post(run.session, "/v1/bans",
           body_json({{"prefix", prefix->text()}, {"for", for_good}, {"reason", run.comment(1)}, {"scope", "full"}}));
  if (!done) return Failure(done.error());
  run.say(fmt::format("Adding {} to csf.deny and iptables DROP...", prefix->text()));
  run.say(drop_line(*prefix));
  return ExitCode::ok;
}

Result<ExitCode> deny_remove(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return Failure(Error::usage(prefix.error().text));
  const auto removed = remove(run.session, "/v1/bans", *prefix);
  if (!removed) return Failure(removed.error());
  if (!*removed) {
    run.say(fmt::format("csf: {} not found in csf.deny", prefix->text()));
    return ExitCode::not_found;
  }
  run.say("Removing rule...\n" + drop_line(*prefix));
  return ExitCode::ok;
}

// Lifts the bans of one kind: CSF keeps those for good in csf.deny, the others are temporary.
Result<size_t> lift_bans(const CsfRun& run, bool temporary) {
  const auto bans = all_bans(run.session, "");
  if (!bans) return Failure(bans.error());
  size_t lifted = 0;
  for (const BanView& ban : bans->bans) {
    const bool kept = !temporary && ban.note.find("do not delete") != std::string::npos;
    if (is_temporary(ban) != temporary || kept) continue;
    const auto removed = remove(run.session, "/v1/bans", ban.decision.prefix);
    if (!removed) return Failure(removed.error());
    run.say(drop_line(ban.decision.prefix));
    if (*removed) ++lifted;
  }
  return lifted;
}

Result<ExitCode> deny_flush(const CsfRun& run) {
  const auto lifted = lift_bans(run, false);
  if (!lifted) return Failure(lifted.error());
  run.say(*lifted == 0 ? "csf: There are no entries in csf.deny to remove" : "csf: all entries removed from csf.deny");
  return ExitCode::ok;
}

struct TemporaryOrder {
  std::string seconds = "3600";
  std::string port;
  std::string direction;
  std::string comment;
};

// "90", "10m", "2h", "1d"
std::optional<uint64_t> read_ttl(std::string_view text) {
  uint64_t unit = 1;
  if (!text.empty() && (text.back() < '0' || text.back() > '9')) {
    switch (text.back() | 0x20) {
      case 's': unit = 1; break;
      case 'm': unit = 60; break;
      case 'h': unit = 3'600; break;
      case 'd': unit = 86'400; break;
      default: return std::nullopt;
    }
    text.remove_suffix(1);
  }
  const bool digits =
      !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return std::nullopt;
  const uint64_t seconds = std::stoull(std::string(text)) * unit;
  if (seconds == 0 || seconds > longest_ttl) return std::nullopt;
  return seconds;
}

Result<TemporaryOrder> read_temporary(const CsfRun& run) {
  TemporaryOrder order;
  size_t at = 1;
  if (at < run.arguments.size())
    if (const auto seconds = read_ttl(run.arguments[at])) {
      order.seconds = std::to_string(*seconds);
      ++at;
    }
  for (; at + 1 < run.arguments.size() && (run.arguments[at] == "-p" || run.arguments[at] == "-d"); at += 2)
    (run.arguments[at] == "-p" ? order.port : order.direction) = run.arguments[at + 1];
  if (!order.direction.empty() && order.direction != "in" && order.direction != "out" && order.direction != "inout")
    return Failure(Error::usage("the direction is in, out or inout"));
  if ((!order.port.empty() && order.port != "*") || order.direction == "out")
    return Failure(
        Error::usage("a ban or an allow of the daemon is for every port, and for what comes in: write "
                     "[[firewall.rule]] with ports, direction and until into palang.toml"));
  order.comment = run.comment(at);
  return order;
}

Result<ExitCode> temporary_deny(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return run.arguments.empty() ? Failure(prefix.error()) : refuse(run, "tempdeny", run.arguments[0]);
  const auto order = read_temporary(run);
  if (!order) return Failure(order.error());
  const auto done =
      post(run.session, "/v1/bans",
           body_json({{"prefix", prefix->text()}, {"for", order->seconds + "s"}, {"reason", order->comment}}));
  if (!done) return Failure(done.error());
  run.say(drop_line(*prefix));
  run.say(fmt::format("csf: {} blocked on port * for {} seconds inbound", prefix->text(), order->seconds));
  return ExitCode::ok;
}

Result<ExitCode> temporary_allow(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return run.arguments.empty() ? Failure(prefix.error()) : refuse(run, "tempallow", run.arguments[0]);
  const auto order = read_temporary(run);
  if (!order) return Failure(order.error());
  const auto done =
      post(run.session, "/v1/allow",
           body_json({{"prefix", prefix->text()}, {"for", order->seconds + "s"}, {"note", order->comment}}));
  if (!done) return Failure(done.error());
  run.say(accept_lines(*prefix));
  run.say(fmt::format("csf: {} allowed on port * for {} seconds in and outbound", prefix->text(), order->seconds));
  return ExitCode::ok;
}

Result<ExitCode> temporary_list(const CsfRun& run) {
  const auto bans = all_bans(run.session, "");
  if (!bans) return Failure(bans.error());
  const auto allowed = all_allowed(run.session);
  if (!allowed) return Failure(allowed.error());
  run.session.console.out << temporary_table(*bans, *allowed, run.session.now);
  return ExitCode::ok;
}

Result<ExitCode> temporary_remove_of(const CsfRun& run, bool bans, bool allows) {
  const auto prefix = address_of(run);
  if (!prefix) return Failure(Error::usage(prefix.error().text));
  bool found = false;
  for (const bool ban : {true, false}) {
    if (ban ? !bans : !allows) continue;
    const auto removed = remove(run.session, ban ? "/v1/bans" : "/v1/allow", *prefix);
    if (!removed) return Failure(removed.error());
    if (!*removed) continue;
    found = true;
    run.say(ban ? drop_line(*prefix) : accept_lines(*prefix));
    run.say(fmt::format("csf: {} temporary {} removed", prefix->text(), ban ? "block" : "allow"));
  }
  if (found) return ExitCode::ok;
  run.say(fmt::format("csf: {} not found in temporary {}", prefix->text(),
                      bans && allows ? "bans or allows"
                      : bans         ? "bans"
                                     : "allows"));
  return ExitCode::not_found;
}

Result<ExitCode> temporary_remove(const CsfRun& run) {
  return temporary_remove_of(run, true, true);
}
Result<ExitCode> temporary_remove_ban(const CsfRun& run) {
  return temporary_remove_of(run, true, false);
}
Result<ExitCode> temporary_remove_allow(const CsfRun& run) {
  return temporary_remove_of(run, false, true);
}

Result<ExitCode> temporary_flush(const CsfRun& run) {
  const auto lifted = lift_bans(run, true);
  if (!lifted) return Failure(lifted.error());
  const auto allowed = all_allowed(run.session);
  if (!allowed) return Failure(allowed.error());
  size_t gone = *lifted;
  for (const AllowedView& entry : allowed->allowed) {
    if (entry.until == WallTime::max()) continue;
    const auto removed = remove(run.session, "/v1/allow", entry.prefix);
    if (!removed) return Failure(removed.error());
    run.say(accept_lines(entry.prefix));
    if (*removed) ++gone;
  }
  run.say(gone == 0 ? "csf: There are no temporary IP entries" : "csf: all temporary IP entries removed");
  return ExitCode::ok;
}

Result<ExitCode> grep(const CsfRun& run) {
  const auto prefix = address_of(run);
  if (!prefix) return Failure(Error::usage(prefix.error().text));
  const auto bans = all_bans(run.session, prefix->text());
  if (!bans) return Failure(bans.error());
  const auto allowed = all_allowed(run.session);
  if (!allowed) return Failure(allowed.error());
  run.session.console.out << grep_text(*prefix, *bans, *allowed, run.session.now);
  return ExitCode::ok;
}

Result<ExitCode> list(const CsfRun& run) {
  const auto bans = all_bans(run.session, "");
  if (!bans) return Failure(bans.error());
  const auto allowed = all_allowed(run.session);
  if (!allowed) return Failure(allowed.error());
  run.session.console.out << chains_text(*bans, *allowed);
  return ExitCode::ok;
}

Result<ExitCode> start(const CsfRun& run) {
  if (const auto done = run.policy.start(); !done) return Failure(done.error());
  return ExitCode::ok;
}

Result<ExitCode> stop_policy(const CsfRun& run) {
  if (const auto done = run.policy.stop(); !done) return Failure(done.error());
  return ExitCode::ok;
}

Result<ExitCode> restart(const CsfRun& run) {
  if (const auto done = post(run.session, "/v1/reload", ""); !done) return Failure(done.error());
  return start(run);
}

Result<ExitCode> enable(const CsfRun& run) {
  run.say("csf and lfd have been enabled");
  return start(run);
}

Result<ExitCode> disable(const CsfRun& run) {
  run.say("csf and lfd have been disabled");
  return stop_policy(run);
}

Result<ExitCode> tell_version(const CsfRun& run) {
  run.say(fmt::format("csf: v{} (palang)", run.version));
  return ExitCode::ok;
}

Result<ExitCode> help(const CsfRun& run);

struct CsfOption {
  std::string_view brief;
  std::string_view full;
  std::string_view arguments;
  std::string_view about;
  Result<ExitCode> (*run)(const CsfRun&);
};

constexpr std::array csf_options{
    CsfOption{"-h", "--help", "", "Show this", help},
    CsfOption{"-l", "--status", "", "List who is denied and allowed", list},
    CsfOption{"-s", "--start", "", "Put the policy in force (palang firewall apply)", start},
    CsfOption{"-f", "--stop", "", "Take the policy off; bans stay (palang firewall off)", stop_policy},
    CsfOption{"-r", "--restart", "", "Read the configuration again and put it in force", restart},
    CsfOption{"-a", "--add", "ip [comment]", "Allow an address for good", add},
    CsfOption{"-ar", "--addrm", "ip", "Allow it no longer", add_remove},
    CsfOption{"-d", "--deny", "ip [comment]", "Deny an address for good", deny},
    CsfOption{"-dr", "--denyrm", "ip", "Deny it no longer", deny_remove},
    CsfOption{"-df", "--denyf", "", "Remove all that is denied for good, but for 'do not delete'", deny_flush},
    CsfOption{"-g", "--grep", "ip", "Show what is done about an address", grep},
    CsfOption{"-t", "--temp", "", "Show temporary entries with their time to live", temporary_list},
    CsfOption{"-tr", "--temprm", "ip", "Remove a temporary entry", temporary_remove},
    CsfOption{"-trd", "--temprmd", "ip", "Remove a temporary deny only", temporary_remove_ban},
    CsfOption{"-tra", "--temprma", "ip", "Remove a temporary allow only", temporary_remove_allow},
    CsfOption{"-td", "--tempdeny", "ip ttl [comment]", "Deny for so long: seconds, or with s, m, h, d", temporary_deny},
    CsfOption{"-ta", "--tempallow", "ip ttl [comment]", "Allow for so long", temporary_allow},
    CsfOption{"-tf", "--tempf", "", "Remove all temporary entries", temporary_flush},
    CsfOption{"-e", "--enable", "", "As -s", enable},
    CsfOption{"-x", "--disable", "", "As -f", disable},
    CsfOption{"-v", "--version", "", "Show the version", tell_version},
};

Result<ExitCode> help(const CsfRun& run) {
  run.say("csf: the habits of CSF's users, done by palang\n\nUsage: csf OPTION\n\nOption              Meaning");
  for (const CsfOption& option : csf_options)
    run.say(
        fmt::format("{}, {} {}\n                    {}", option.brief, option.full, option.arguments, option.about));
  return ExitCode::ok;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

}  // namespace

Result<ExitCode> run_csf(std::span<const std::string> arguments, const Session& session, const CsfPolicy& policy,
                         std::string_view version) {
  const std::string name = arguments.empty() ? "-h" : lower(arguments[0]);
  const CsfRun run{arguments.subspan(std::min<size_t>(1, arguments.size())), session, policy, version};
  for (const CsfOption& option : csf_options)
    if (name == option.brief || name == option.full) return option.run(run);
  return Failure(
      Error::usage(fmt::format("csf has no option {} here (csf -h)", printable(arguments[0].substr(0, 40)))));
}

}  // namespace palang
