#include "cli/csf_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/words.hpp"

namespace palang {
namespace {

constexpr std::string_view table_head =
    "Table  Chain            num   pkts bytes target     prot opt in     out     source               destination      "
    "   \n";
constexpr std::string_view chain_head =
    "num   pkts bytes target     prot opt in     out     source               destination         \n";

std::string_view everyone(const Prefix& prefix) {
  return prefix.is_v4() ? "0.0.0.0/0" : "::/0";
}

std::string reason_of(const BanView& ban) {
  const std::string reason = reason_text(ban.decision);
  const bool manual = ban.decision.origin == Origin::manual;
  if (manual) return ban.note.empty() ? "Manually added" : printable(ban.note);
  return fmt::format("lfd - ({}) {}", rule_name(ban.decision.rule), reason);
}

int64_t seconds_left(WallTime until, WallTime now) {
  return std::max<int64_t>(std::chrono::duration_cast<std::chrono::seconds>(until - now).count(), 0);
}

// "59m 48s", "2h 0m 5s", as CSF counts down.
std::string time_to_live(int64_t seconds) {
  std::string text;
  if (seconds >= 86'400) text += fmt::format("{}d ", seconds / 86'400);
  if (seconds >= 3'600) text += fmt::format("{}h ", seconds % 86'400 / 3'600);
  return text + fmt::format("{}m {}s", seconds % 3'600 / 60, seconds % 60);
}

std::string temporary_row(std::string_view kind, const Prefix& prefix, std::string_view direction, int64_t seconds,
                          const std::string& comment) {
  return fmt::format("{:<5} {:<40} {:^5}  {:<5} {:<16} {}\n", kind, prefix.text(), "*", direction,
                     time_to_live(seconds), comment);
}

std::string chain_row(std::string_view chain, size_t number, uint64_t packets, const Prefix& prefix, bool accept,
                      bool out) {
  const std::string source = out ? std::string(everyone(prefix)) : prefix.text();
  const std::string destination = out ? prefix.text() : std::string(everyone(prefix));
  return fmt::format("{:<16} {:<5} {:>4} {:>5} {:<10} {:<4} {:<3} {:<6} {:<7} {:<20} {:<20}\n", chain, number, packets,
                     0, accept ? "ACCEPT" : "DROP", "all", prefix.is_v4() ? "--" : "", out ? "*" : "!lo",
                     out ? "!lo" : "*", source, destination);
}

// What iptables would show of the family.
std::string grep_family(const Prefix& asked, const BansReply& bans, const AllowedReply& allowed, bool v4) {
  std::string rows;
  size_t number = 0;
  for (const AllowedView& entry : allowed.allowed) {
    if (entry.prefix.is_v4() != v4) continue;
    ++number;
    if (!entry.prefix.overlaps(asked)) continue;
    rows += "filter " + chain_row("ALLOWIN", number, 0, entry.prefix, true, false) + "\n";
    rows += "filter " + chain_row("ALLOWOUT", number, 0, entry.prefix, true, true) + "\n";
  }
  number = 0;
  for (const BanView& ban : bans.bans) {
    if (ban.decision.prefix.is_v4() != v4) continue;
    ++number;
    if (!ban.decision.prefix.overlaps(asked)) continue;
    rows += "filter " + chain_row("DENYIN", number, ban.hits, ban.decision.prefix, false, false) + "\n";
  }
  if (!rows.empty()) return rows;
  return fmt::format("No matches found for {} in {}\n\n", asked.text(), v4 ? "iptables" : "ip6tables");
}

std::string chain_of(std::string_view name, const std::string& rows) {
  return fmt::format("Chain {} (1 references)\n{}{}\n", name, chain_head, rows);
}

}  // namespace

std::string drop_line(const Prefix& prefix) {
  return fmt::format("DROP  all opt {} in !lo out *  {}  -> {}  ", prefix.is_v4() ? "--" : "  ", prefix.text(),
                     everyone(prefix));
}

std::string accept_lines(const Prefix& prefix) {
  const std::string_view opt = prefix.is_v4() ? "--" : "  ";
  return fmt::format("ACCEPT  all opt {} in !lo out *  {}  -> {}  \nACCEPT  all opt {} in * out !lo  {}  -> {}  ", opt,
                     prefix.text(), everyone(prefix), opt, everyone(prefix), prefix.text());
}

bool is_temporary(const BanView& ban) {
  return ban.decision.until - ban.decision.from <= one_day * 366;
}

std::string temporary_table(const BansReply& bans, const AllowedReply& allowed, WallTime now) {
  std::string rows;
  for (const BanView& ban : bans.bans)
    if (is_temporary(ban))
      rows += temporary_row("DENY", ban.decision.prefix, "in", seconds_left(ban.decision.until, now), reason_of(ban));
  for (const AllowedView& entry : allowed.allowed)
    if (entry.until != WallTime::max())
      rows += temporary_row("ALLOW", entry.prefix, "inout", seconds_left(entry.until, now), printable(entry.note));
  if (rows.empty()) return "csf: There are no temporary IP entries\n";
  return "\nA/D   IP address                               Port   Dir   Time To Live     Comment\n" + rows;
}

std::string grep_text(const Prefix& asked, const BansReply& bans, const AllowedReply& allowed, WallTime now) {
  std::string text = fmt::format("\n{}\n{}\nip6tables:\n\n{}\n{}", table_head, grep_family(asked, bans, allowed, true),
                                 table_head, grep_family(asked, bans, allowed, false));
  for (const BanView& ban : bans.bans) {
    if (!ban.decision.prefix.overlaps(asked)) continue;
    const std::string prefix = ban.decision.prefix.text();
    text += is_temporary(ban)
                ? fmt::format("\nTemporary Blocks: IP:{} Port: Dir:in TTL:{} ({})\n", prefix,
                              seconds_left(ban.decision.until, now), reason_of(ban))
                : fmt::format("\ncsf.deny: {} # {} - {}\n", prefix, reason_of(ban), format_utc(ban.decision.from));
  }
  for (const AllowedView& entry : allowed.allowed) {
    if (!entry.prefix.overlaps(asked)) continue;
    text += entry.until == WallTime::max()
                ? fmt::format("\ncsf.allow: {} # {} - {}\n", entry.prefix.text(), printable(entry.note),
                              format_utc(entry.from))
                : fmt::format("\nTemporary Allows: IP:{} Port: Dir:inout TTL:{} ({})\n", entry.prefix.text(),
                              seconds_left(entry.until, now), printable(entry.note));
  }
  return text;
}

std::string chains_text(const BansReply& bans, const AllowedReply& allowed) {
  std::string in, out, denied;
  size_t number = 0;
  for (const AllowedView& entry : allowed.allowed) {
    ++number;
    in += chain_row("", number, 0, entry.prefix, true, false).substr(17);
    out += chain_row("", number, 0, entry.prefix, true, true).substr(17);
  }
  number = 0;
  for (const BanView& ban : bans.bans)
    denied += chain_row("", ++number, ban.hits, ban.decision.prefix, false, false).substr(17);
  return "iptables filter table\n=====================\n" + chain_of("ALLOWIN", in) + chain_of("ALLOWOUT", out) +
         chain_of("DENYIN", denied);
}

}  // namespace palang
