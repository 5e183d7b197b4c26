#include "app/rule_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "app/explain.hpp"
#include "app/fail2ban.hpp"
#include "app/finish.hpp"
#include "app/firewall_import.hpp"
#include "app/list_commands.hpp"
#include "app/rules.hpp"

namespace palang {
namespace {

void add_explain(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("explain", "Explain what palang makes of a log line");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("line", options->line, "The line; without one, those of standard input");
  command->add_option("--file", options->file, "The log file that it comes from")->type_name("FILE");
  command->add_option("--unit", options->unit, "The systemd unit that it comes from")->type_name("UNIT");
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_option("--socket", options->socket, "Where the daemon answers")->type_name("PATH");
  command->add_flag("--json", options->json, "An object for each line");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(run_explain(*options, console), console); };
  });
}

// One of `palang rules …`.
template <typename Run>
CLI::App* add_rules_command(CLI::App& rules, Console& console, Chosen& chosen, const std::string& name,
                            const std::string& help, Run run) {
  CLI::App* command = rules.add_subcommand(name, help);
  auto options = std::make_shared<RulesOptions>();
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_flag("--json", options->json, "One object for programs");
  command->callback([&console, &chosen, options, run = std::move(run)] {
    chosen = [&console, options, run] { return finish(run(*options, console), console); };
  });
  return command;
}

void add_fail2ban_options(CLI::App* command, const std::shared_ptr<Fail2banOptions>& options) {
  command->add_option("directory", options->directory, "Where fail2ban's configuration lies")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
}

struct ForeignFirewall {
  std::string name;
  std::string path;  // where it is unless told; "": it must be told
  std::string help;
};

void add_firewall_import(CLI::App& import, Console& console, Chosen& chosen, const ForeignFirewall& firewall) {
  CLI::App* command = import.add_subcommand(firewall.name, firewall.help);
  auto options = std::make_shared<FirewallImportOptions>();
  options->from = firewall.name;
  options->path = firewall.path;
  auto* const path = command->add_option("path", options->path, "Where it lies")->type_name("PATH");
  if (firewall.path.empty())
    path->required();
  else
    path->capture_default_str();
  if (firewall.name == "csf")
    command->add_option("--state", options->state, "CSF's /var/lib/csf, where that is elsewhere")->type_name("DIR");
  command->add_option("--write", options->write_to, "Write palang.toml and lists there (default: only tell)")
      ->type_name("DIR");
  command->add_flag("--replace", options->replace, "Overwrite a palang.toml that is there");
  command->add_flag("--json", options->json, "One object for programs");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(import_firewall(*options, console), console); };
  });
}

void add_import(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* import = app.add_subcommand("import", "Show what the configuration of another program becomes");
  import->require_subcommand(1);
  CLI::App* command = import->add_subcommand("fail2ban", "Each jail of fail2ban, and what it becomes; changes nothing");
  auto options = std::make_shared<Fail2banOptions>();
  add_fail2ban_options(command, options);
  command->add_flag("--json", options->json, "One object for programs");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(report_fail2ban(*options, console), console); };
  });
  const ForeignFirewall firewalls[] = {
      {"csf", "/etc/csf", "The policy and the lists of CSF, and what they become"},
      {"iptables-save", "", "What iptables-save printed, or a directory with rules.v4 and rules.v6"},
      {"ipset", "", "What 'ipset save' printed"},
      {"ufw", "/etc/ufw", "The rules of ufw"},
      {"firewalld", "/etc/firewalld", "The default zone of firewalld, or one zone's file"},
  };
  for (const ForeignFirewall& firewall : firewalls) add_firewall_import(*import, console, chosen, firewall);
}

void add_lists(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("lists", "Show the firewall's lists of addresses, and fetch those by URL");
  auto options = std::make_shared<ListsOptions>();
  command->add_flag("--fetch", options->fetch, "Fetch those that are older than their refresh");
  command->add_flag("--now", options->now, "With --fetch: however old they are")->needs("--fetch");
  command->add_option("--ca-file", options->ca_file, "Certificates to trust in place of the system's")
      ->type_name("FILE");
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_option("--socket", options->socket, "Where the daemon answers")->type_name("PATH");
  command->add_flag("--json", options->json, "One object for programs");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(show_lists(*options, console), console); };
  });
}

void add_load_fail2ban(CLI::App& rules, Console& console, Chosen& chosen) {
  CLI::App* command = rules.add_subcommand("load-fail2ban", "Use the jails of fail2ban, unmodified, from now on");
  auto options = std::make_shared<Fail2banOptions>();
  add_fail2ban_options(command, options);
  command->add_option("--socket", options->socket, "Where the daemon answers")->type_name("PATH");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(load_fail2ban(*options, console), console); };
  });
}

void add_rules(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* rules = app.add_subcommand("rules", "Look at the rules for the logs of services, and try them");
  rules->require_subcommand(1);
  add_rules_command(*rules, console, chosen, "list", "List the rules", list_rules);

  auto name = std::make_shared<std::string>();
  add_rules_command(*rules, console, chosen, "show", "Show one rule whole",
                    [name](const RulesOptions& options, const Console& out) { return show_rule(options, *name, out); })
      ->add_option("name", *name, "The rule")
      ->required();

  auto names = std::make_shared<std::vector<std::string>>();
  add_rules_command(
      *rules, console, chosen, "test", "Run the examples of the rules",
      [names](const RulesOptions& options, const Console& out) { return test_rules(options, *names, out); })
      ->add_option("names", *names, "Only these rules");

  auto coverage = std::make_shared<CoverageOptions>();
  CLI::App* command = add_rules_command(
      *rules, console, chosen, "coverage", "Show which lines of logs no rule understands, grouped by shape",
      [coverage](const RulesOptions& options, const Console& out) { return cover_logs(options, *coverage, out); });
  command->add_option("files", coverage->files, "Logs, plain or .gz or .xz; - is standard input")
      ->type_name("FILE")
      ->required();
  command->add_option("--limit", coverage->limit, "At most so many shapes; 0: all")->capture_default_str();
  add_load_fail2ban(*rules, console, chosen);
}

}  // namespace

void add_rule_commands(CLI::App& app, Console& console, Chosen& chosen) {
  add_explain(app, console, chosen);
  add_rules(app, console, chosen);
  add_import(app, console, chosen);
  add_lists(app, console, chosen);
}

}  // namespace palang
