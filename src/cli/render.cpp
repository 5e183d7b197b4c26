#include "cli/render.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

constexpr size_t label_columns = 12;

// "  Running     3d 4h, since …", broken to the width.
std::string field(std::string_view label, std::string_view value, const View& view) {
  return fmt::format("  {:<{}}{}\n", label, label_columns, wrapped(value, view.width, label_columns + 2));
}

std::string reason_of(const Decision& decision, std::string_view note) {
  if (decision.rule > Rule::recovered && !note.empty()) return printable(note);
  std::string reason = reason_text(decision);
  if (!note.empty()) reason.append(": ").append(printable(note));
  return reason;
}

std::string ports_text(const StatusReply& status) {
  std::string text;
  if (!status.open_tcp.empty()) text = fmt::format("tcp {}", fmt::join(status.open_tcp, " "));
  if (!status.open_udp.empty())
    text.append(text.empty() ? "" : "; ").append(fmt::format("udp {}", fmt::join(status.open_udp, " ")));
  return text.empty() ? "none" : printable(text);
}

std::string counters_text(const StatusReply& status) {
  std::string text;
  for (const NamedCount& counter : status.counters)
    text.append(text.empty() ? "" : ", ").append(printable(counter.name)).append(" ").append(grouped(counter.count));
  return text.empty() ? "nothing yet" : text;
}

// "native on eth0; 41.2 MB of kernel memory; 38 ns a packet", and below it why it is not better.
std::string enforcement_text(const EnforcementStatus& status, const View& view) {
  std::string text;
  std::vector<std::string> facts;
  for (const InterfaceStatus& one : status.interfaces)
    facts.push_back(one.mode.empty() ? fmt::format("{} not by XDP", printable(one.name))
                                     : fmt::format("{} on {}", printable(one.mode), printable(one.name)));
  if (status.kernel_bytes > 0)
    facts.push_back(fmt::format("{:.1f} MB of kernel memory", static_cast<double>(status.kernel_bytes) / 1e6));
  if (status.runs > 0) facts.push_back(fmt::format("{} ns a packet", status.run_ns / status.runs));
  if (!facts.empty()) text.append(field("XDP", fmt::format("{}", fmt::join(facts, "; ")), view));
  for (const std::string& reason : status.reasons) text.append(field("XDP", "not used: " + printable(reason), view));
  for (const InterfaceStatus& one : status.interfaces)
    for (const std::string& reason : one.reasons)
      text.append(field("", fmt::format("{}: {}", printable(one.name), printable(reason)), view));
  return text;
}

std::string packets_text(const EnforcementStatus& status) {
  std::string text;
  for (const NamedCount& count : status.packets)
    text.append(text.empty() ? "" : "; ").append(grouped(count.count)).append(" ").append(printable(count.name));
  return text;
}

std::string sources_table(const StatusReply& status, const View& view) {
  Table table({{"SOURCE", Align::left, true},
               {"LINES", Align::right},
               {"BYTES", Align::right},
               {"CUT", Align::right},
               {"LOST", Align::right},
               {"TROUBLE", Align::left, true}});
  for (const SourceStatus& source : status.sources) {
    const SourceCounters& counters = source.counters;
    table.add({printable(source.name), grouped(counters.lines), grouped(counters.bytes), grouped(counters.cut_lines),
               grouped(counters.lost_lines), source.trouble.empty() ? "none" : printable(source.trouble)});
  }
  return table.empty() ? "" : "\n" + table.text(view.width, view.style);
}

std::string where_it_drops(Scope scope) {
  return scope == Scope::full ? "everywhere" : "on every port that is not open to the public";
}

std::string proof_sentence(const Decision& decision) {
  switch (decision.proof) {
    case Proof::forgeable:
      if (decision.scope == Scope::full)
        return "Anyone could have forged its packets; the policy is full all the same.";
      return "Anyone could have forged its packets, so this alone never closes an open port.";
    case Proof::handshake: return "It completed a TCP connection, so the address is its own.";
    case Proof::application: return "A service or a WAF saw it misbehave, so the address is its own.";
  }
  return "";
}

std::string banned_text(const ExplainReply& why, const View& view) {
  const BanView& ban = *why.ban;
  const Decision& decision = ban.decision;
  const auto sentence = [&](const std::string& text) { return "  " + wrapped(text, view.width, 2) + "\n"; };
  std::string text = view.style.red(fmt::format("{} is banned", why.address.text()));
  text.append(fmt::format(", {}.\n", where_it_drops(decision.scope)));
  if (!decision.prefix.is_single())
    text.append(sentence(fmt::format("The ban is for its whole network, {}.", decision.prefix.text())));
  text.append(sentence(fmt::format("Rule {}: {}.", rule_name(decision.rule), reason_of(decision, ban.note))));
  if (decision.rule != Rule::manual && decision.rule != Rule::recovered)
    text.append(sentence(proof_sentence(decision)));
  text.append(sentence(fmt::format("Since {}.", local_and_relative(decision.from, view.now))));
  text.append(sentence(fmt::format("Ends {}.", local_and_relative(decision.until, view.now))));
  if (decision.repeat > 0) text.append(sentence(fmt::format("Banned {} before.", counted(decision.repeat, "time"))));
  text.append(sentence(
      fmt::format("Stopped {} so far; last seen {}.", counted(ban.hits, "packet"), relative(ban.last_seen, view.now))));
  return text;
}

std::string decisions_table(const ExplainReply& why, const View& view) {
  Table table({{"PREFIX"}, {"SCOPE"}, {"RULE"}, {"FROM"}, {"UNTIL"}, {"ENDED"}, {"REASON", Align::left, true}});
  for (const PastView& past : why.decisions) {
    const Decision& decision = past.decision;
    table.add({decision.prefix.text(), std::string(scope_name(decision.scope)), std::string(rule_name(decision.rule)),
               format_local(decision.from),
               decision.until == WallTime::max() ? "without end" : format_local(decision.until),
               past.how_it_ended.empty() ? "active" : printable(past.how_it_ended), reason_of(decision, past.note)});
  }
  return table.text(view.width, view.style);
}

std::string evidence_text(const ExplainReply& why) {
  std::string text;
  for (const Evidence& one : why.evidence) {
    // An attacker wrote this line.
    text.append(fmt::format("  {}  {}  {}\n      {}\n", format_local(one.at), one.source.text(), rule_name(one.rule),
                            escape_controls(one.line)));
  }
  return text;
}

}  // namespace

std::string render_status(const StatusReply& status, const View& view) {
  std::string text = view.style.bold("palang " + printable(status.version)) + ": ";
  const size_t troubles = status.troubles.size();
  text.append(troubles == 0 ? view.style.green("healthy") : view.style.red(counted(troubles, "trouble"))).append("\n");
  for (const std::string& trouble : status.troubles)
    text.append("  " + view.style.red("!") + " " + wrapped(printable(trouble), view.width, 4) + "\n");

  const std::string age = approximate_duration(std::max(view.now - status.started, Duration{0}));
  text.append("\n");
  text.append(
      field("Running", fmt::format("{}, since {}, process {}", age, format_local(status.started), status.pid), view));
  text.append(
      field("Policy", fmt::format("{}, enforced by {}", printable(status.profile), printable(status.enforcer)), view));
  text.append(enforcement_text(status.enforcement, view));
  text.append(field("Bans",
                    fmt::format("{} intended, {} in the kernel; {} quiet, {} full", grouped(status.bans_intended),
                                grouped(status.bans_in_kernel), grouped(status.quiet), grouped(status.full)),
                    view));
  text.append(field("Allowed", grouped(status.allowed), view));
  text.append(field("Open ports", ports_text(status), view));
  if (status.protected_now.empty()) text.append(field("Protected", "none", view));
  for (size_t at = 0; at < status.protected_now.size(); ++at)
    text.append(field(at == 0 ? "Protected" : "", printable(status.protected_now[at]), view));
  text.append(field("Counted", counters_text(status), view));
  if (!status.enforcement.packets.empty()) text.append(field("Packets", packets_text(status.enforcement), view));
  return text + sources_table(status, view);
}

std::string render_bans(const BansReply& reply, const View& view) {
  if (reply.bans.empty()) return "No bans.\n";
  Table table({{"PREFIX"},
               {"SCOPE"},
               {"REASON", Align::left, true},
               {"ENDS", Align::left},
               {"HITS", Align::right},
               {"LAST SEEN"}});
  for (const BanView& ban : reply.bans) {
    table.add({ban.decision.prefix.text(), std::string(scope_name(ban.decision.scope)),
               reason_of(ban.decision, ban.note), relative(ban.decision.until, view.now), grouped(ban.hits),
               relative(ban.last_seen, view.now)});
  }
  std::string text = table.text(view.width, view.style);
  if (reply.total > reply.bans.size())
    text.append(fmt::format("… and {} more (--limit 0 shows all)\n", grouped(reply.total - reply.bans.size())));
  return text;
}

std::string render_allowed(const AllowedReply& reply, const View& view) {
  if (reply.allowed.empty()) return "Nobody is allowed.\n";
  Table table({{"PREFIX"}, {"BY"}, {"ENDS"}, {"NOTE", Align::left, true}});
  for (const AllowedView& one : reply.allowed)
    table.add({one.prefix.text(), printable(one.by),
               one.by == "host" ? "while it is so" : relative(one.until, view.now), printable(one.note)});
  return table.text(view.width, view.style);
}

std::string render_why(const ExplainReply& why, const View& view) {
  std::string text;
  if (why.ban) text.append(banned_text(why, view));
  if (!why.ban && why.exempt.empty()) text.append(fmt::format("{} is not banned.\n", why.address.text()));
  if (!why.exempt.empty()) {
    text.append(view.style.green(fmt::format("{} is never banned", why.address.text())));
    text.append(fmt::format(": {}.\n", printable(why.exempt)));
  }
  if (!why.decisions.empty())
    text.append("\n" + view.style.bold("Decisions, newest first") + "\n").append(decisions_table(why, view));
  if (!why.evidence.empty())
    text.append("\n" + view.style.bold("Evidence, newest first") + "\n").append(evidence_text(why));
  if (!why.advice.empty()) text.append("\n" + view.style.bold("What to do") + "\n");
  for (const std::string& one : why.advice) text.append("  " + printable(one) + "\n");
  return text;
}

std::string render_ban(const BanView& ban, const View& view) {
  return fmt::format("{} is banned {}, until {}.\n", ban.decision.prefix.text(), where_it_drops(ban.decision.scope),
                     local_and_relative(ban.decision.until, view.now));
}

std::string render_record(const std::variant<Change, Dropped>& record, const View& view) {
  if (const auto* const dropped = std::get_if<Dropped>(&record)) {
    return view.style.yellow(fmt::format("… {} not shown: they came faster than they were read",
                                         counted(dropped->changes, "change"))) +
           "\n";
  }
  const auto& change = std::get<Change>(record);
  const Decision& decision = change.decision;
  const bool stands = change.kind == ChangeKind::added || change.kind == ChangeKind::moved;
  const std::string kind = fmt::format("{:<8}", change_name(change.kind));
  return fmt::format("{}  {}  {:<18}  {:<5}  {}{}\n", format_local(change.at),
                     stands ? view.style.red(kind) : view.style.green(kind), decision.prefix.text(),
                     scope_name(decision.scope), reason_of(decision, change.note),
                     stands ? ", ends " + relative(decision.until, change.at) : "");
}

}  // namespace palang
