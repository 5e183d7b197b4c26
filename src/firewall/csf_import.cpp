#include "firewall/csf_import.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "firewall/csf_conf.hpp"
#include "firewall/csf_firewall.hpp"
#include "firewall/csf_lfd.hpp"
#include "firewall/csf_lists.hpp"
#include "firewall/csf_options.hpp"
#include "firewall/csf_tables.hpp"
#include "net/prefix.hpp"

namespace palang::foreign::csf {

namespace {

// What no importer deals with, and is on. Values stay out of the report: some are passwords.
void mention_unsupported(const Conf& conf, ImportReport& report) {
  for (const auto& [name, setting] : conf.all()) {
    const auto option = find_option(name);
    if (option && !option->why_not.empty() && conf.is_on(name))
      report.left_out(setting.place, name, std::string(option->why_not));
  }
}

// CSF's order: first who is allowed, then who is denied, then the ports that are open.
void order_rules(ImportedPolicy& policy, size_t opened) {
  const auto ports_end = policy.rules.begin() + static_cast<std::ptrdiff_t>(opened);
  std::vector<ImportedRule> ports(policy.rules.begin(), ports_end);
  policy.rules.erase(policy.rules.begin(), ports_end);
  std::ranges::stable_partition(policy.rules, [](const ImportedRule& rule) { return rule.allow; });
  policy.rules.insert(policy.rules.end(), ports.begin(), ports.end());
}

// Lists with the action deny are asked before all rules; in CSF a filter of csf.allow came before csf.deny. Where the
// two meet, csf.deny becomes rules behind those of csf.allow.
void keep_allowed_before_denied(Import& import, const Place& place) {
  ImportedPolicy& policy = import.policy;
  const auto list = std::ranges::find(policy.lists, "csf_deny", &ImportedList::name);
  const auto last = std::ranges::find_if(policy.rules, [](const ImportedRule& rule) { return !rule.allow; });
  std::vector<Prefix> allowed;
  for (auto rule = policy.rules.begin(); rule != last; ++rule)
    for (const std::string& peer : rule->peer)
      if (const auto prefix = Prefix::parse(peer); prefix && prefix->length() > 0) allowed.push_back(*prefix);
  if (list == policy.lists.end() || allowed.empty()) return;
  const bool meet = std::ranges::any_of(list->entries, [&](const ListEntry& entry) {
    const auto denied = Prefix::parse(entry.text);
    return denied && std::ranges::any_of(allowed, [&](const Prefix& one) { return one.overlaps(*denied); });
  });
  if (!meet) return;
  list->action = "none";
  ImportedRule rule;
  rule.allow = false;
  rule.peer = {"list:csf_deny"};
  rule.note = "csf.deny, behind csf.allow";
  ImportedRule out = rule;
  out.out = true;
  policy.rules.insert(policy.rules.insert(last, out), rule);
  import.report.approximated(
      place, "csf.deny",
      "a filter of csf.allow is for somebody in it, and must come first: it is asked by a rule, behind the "
      "answer to pings");
}

}  // namespace

Result<Import> import_all(const Directories& directories, WallTime now, const ReadFile& read) {
  const std::string conf_path = directories.configuration + "/csf.conf";
  const auto text = read(conf_path);
  if (!text) return Failure(text.error());
  Import import;
  import.policy.origin = "CSF";
  const Conf conf = Conf::parse(*text, conf_path, import.report);
  if (conf.all().empty())
    return Failure(Error::bad_config(fmt::format("{}: there is no option of CSF in it", conf_path)));
  const Context context{conf, read, import};
  const auto file = [&](std::string_view name) { return fmt::format("{}/{}", directories.configuration, name); };
  import_firewall(context);
  const size_t opened = import.policy.rules.size();
  import_lfd(context);
  import_allow(file("csf.allow"), context);
  import_deny(file("csf.deny"), context);
  import_ignore(file("csf.ignore"), context);
  import_rignore(file("csf.rignore"), context);
  import_dyndns(file("csf.dyndns"), context);
  import_blocklists(file("csf.blocklists"), context);
  import_redirects(file("csf.redirect"), context);
  import_temporary(directories.state + "/csf.tempallow", true, now, context);
  import_temporary(directories.state + "/csf.tempban", false, now, context);
  order_rules(import.policy, opened);
  keep_allowed_before_denied(import, {file("csf.deny"), 0});
  mention_unsupported(conf, import.report);
  return import;
}

}  // namespace palang::foreign::csf
