#include "firewall/csf_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "firewall/csf_filter.hpp"

namespace palang::foreign::csf {

namespace {

constexpr size_t longest_note = 200;      // bytes
constexpr size_t default_most = 100'000;  // entries that a list may have without saying so

std::string note_of(std::string_view comment) {
  return std::string(trim(comment.substr(0, longest_note)));
}

bool is_everyone(std::string_view network) {
  return network == "0.0.0.0/0" || network == "::/0";
}

// Entries of one list, each once.
class EntryCollector {
 public:
  EntryCollector(std::string name, std::string action, ImportReport& report) : report_(report) {
    list_.name = std::move(name);
    list_.action = std::move(action);
  }

  void add(const Line& line, std::string entry) {
    if (!seen_.insert(entry).second) {
      report_.approximated(line.place, line.text, "it is in the list already, and stands there once");
      return;
    }
    if (list_.entries.empty()) first_ = line.place;
    list_.entries.push_back({std::move(entry), note_of(line.comment)});
  }

  [[nodiscard]] bool empty() const { return list_.entries.empty(); }

  void finish(ImportedPolicy& policy, std::string_view what) {
    if (list_.entries.empty()) return;
    const size_t count = list_.entries.size();
    report_.taken_over(first_, fmt::format("{} {}", count, count == 1 ? "entry" : "entries"),
                       fmt::format("the list {}: {}; the comments are kept", list_.name, what));
    if (count > default_most) list_.most = static_cast<uint32_t>(std::min<size_t>(2 * count, 1'000'000));
    policy.lists.push_back(std::move(list_));
  }

 private:
  ImportReport& report_;
  ImportedList list_;
  std::set<std::string, std::less<>> seen_;
  Place first_;
};

// An address or network of the line; what is none is reported.
std::string network_of(const Line& line, ImportReport& report) {
  bool widened = false;
  const auto network = read_network(line.text, &widened);
  if (!network) {
    report.fault(line.place, line.text,
                 is_host_name(line.text) ? "names belong into csf.dyndns, CSF takes none here" : network.error().text);
    return "";
  }
  if (widened)
    report.approximated(line.place, line.text, "it has bits beyond the network: iptables took it for " + *network);
  return *network;
}

void add_filter(const Line& line, bool allow, const Context& context) {
  auto rule = filter_rule(line.text, allow);
  if (!rule) {
    if (rule.error().kind == ErrorKind::not_found)
      context.import.report.left_out(line.place, line.text, rule.error().text);
    else
      context.import.report.fault(line.place, line.text, rule.error().text);
    return;
  }
  rule->note = note_of(line.comment);
  context.import.report.taken_over(line.place, line.text, allow ? "a rule that allows it" : "a rule that denies it");
  context.import.policy.rules.push_back(std::move(*rule));
}

void mention_outgoing(const Context& context) {
  if (context.conf.is_on("LF_BLOCKINONLY"))
    context.import.report.approximated(context.conf.at("LF_BLOCKINONLY").place, "LF_BLOCKINONLY",
                                       "this host doesn't speak to who is in csf.deny either");
}

}  // namespace

Result<ImportedRule> filter_rule(std::string_view text, bool allow) {
  const auto filter = parse_filter(text);
  if (!filter) return Failure(filter.error());
  ImportedRule rule;
  rule.allow = allow;
  rule.out = filter->out;
  rule.protocol = filter->protocol;
  rule.ports = port_texts(filter->ports);
  rule.source_ports = port_texts(filter->source_ports);
  rule.user = filter->user;
  rule.group = filter->group;
  std::string peer = filter->out ? filter->destination : filter->source;
  const std::string& own = filter->out ? filter->source : filter->destination;
  if (!own.empty() && !is_everyone(own))
    return Failure(Error::not_found("it is for one of this host's own addresses, and a rule can't tell them apart"));
  if (!filter->icmp_type.empty() && filter->icmp_type != "ping" && filter->icmp_type != "echo-request")
    return Failure(Error::not_found("a rule can't tell types of ICMP apart; firewall.ping is for echo requests"));
  if (!allow && !filter->out && rule.ports.empty() && (peer.empty() || is_everyone(peer)))
    return Failure(Error::not_found("it would shut out everyone"));
  if (peer.empty()) peer = own;
  if (!peer.empty()) rule.peer.push_back(peer);
  return rule;
}

void import_allow(const std::string& path, const Context& context) {
  ImportReport& report = context.import.report;
  EntryCollector list("csf_allow", "allow", report);
  for (const Line& line : read_lines(path, context.read, report)) {
    if (is_filter(line.text)) {
      add_filter(line, true, context);
      continue;
    }
    const std::string network = network_of(line, report);
    if (is_everyone(network))
      report.left_out(line.place, line.text, "it would open every port to everyone; say so in firewall.policy");
    else if (!network.empty())
      list.add(line, network);
  }
  if (!list.empty() && !context.conf.is_on("IGNORE_ALLOW"))
    report.approximated(context.conf.at("IGNORE_ALLOW").place, "IGNORE_ALLOW = \"0\"",
                        "lfd also judged who is in csf.allow: palang never judges nor bans who is allowed");
  list.finish(context.import.policy, "allowed on every port, and never judged");
}

void import_deny(const std::string& path, const Context& context) {
  ImportReport& report = context.import.report;
  EntryCollector list("csf_deny", "deny", report);
  for (const Line& line : read_lines(path, context.read, report)) {
    if (is_filter(line.text)) {
      add_filter(line, false, context);
      continue;
    }
    const std::string network = network_of(line, report);
    if (is_everyone(network))
      report.left_out(line.place, line.text, "it would shut out everyone");
    else if (!network.empty())
      list.add(line, network);
  }
  if (!list.empty()) mention_outgoing(context);
  list.finish(context.import.policy,
              "denied on every port; 'do not delete' holds for all, nothing is ever rotated out");
}

void import_ignore(const std::string& path, const Context& context) {
  ImportReport& report = context.import.report;
  EntryCollector list("csf_ignore", "ignore", report);
  for (const Line& line : read_lines(path, context.read, report)) {
    const std::string network = network_of(line, report);
    if (is_everyone(network))
      report.left_out(line.place, line.text, "nobody would be judged any more");
    else if (!network.empty())
      list.add(line, network);
  }
  list.finish(context.import.policy, "never judged");
}

void import_rignore(const std::string& path, const Context& context) {
  ImportReport& report = context.import.report;
  EntryCollector list("csf_rignore", "ignore", report);
  for (const Line& line : read_lines(path, context.read, report)) {
    if (line.text.starts_with('.') && is_host_name(line.text.substr(1)))
      report.left_out(line.place, line.text,
                      "names of addresses aren't looked up, so that a whole domain can't be ignored; put its networks, "
                      "which crawlers publish, into a list with action = \"ignore\"");
    else if (is_host_name(line.text))
      list.add(line, line.text);
    else
      report.fault(line.place, line.text, "this is no host name");
  }
  list.finish(context.import.policy, "the addresses of these names are never judged");
}

void import_dyndns(const std::string& path, const Context& context) {
  ImportReport& report = context.import.report;
  const std::vector<Line> lines = read_lines(path, context.read, report);
  EntryCollector ignored("csf_dyndns", "ignore", report);
  for (const Line& line : lines) {
    if (!context.conf.is_on("DYNDNS")) {
      report.left_out(line.place, line.text, "DYNDNS is off in csf.conf, so that CSF passed it over");
      continue;
    }
    if (is_filter(line.text)) {
      add_filter(line, true, context);
      continue;
    }
    const std::string peer = is_host_name(line.text) ? line.text : network_of(line, report);
    if (peer.empty() || is_everyone(peer)) continue;
    ImportedRule rule;
    rule.peer = {peer};
    rule.note = note_of(line.comment);
    context.import.policy.rules.push_back(rule);
    rule.out = true;
    context.import.policy.rules.push_back(std::move(rule));
    report.taken_over(line.place, line.text,
                      "allowed on every port; a name is looked up again when its time to live is over");
    if (context.conf.is_on("DYNDNS_IGNORE")) ignored.add(line, peer);
  }
  ignored.finish(context.import.policy, "never judged");
}

}  // namespace palang::foreign::csf
