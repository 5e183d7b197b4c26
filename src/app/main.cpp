#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "app/csf_program.hpp"
#include "app/daemon.hpp"
#include "app/finish.hpp"
#include "app/firewall_commands.hpp"
#include "app/replay.hpp"
#include "app/rule_commands.hpp"
#include "app/rule_loading.hpp"
#include "app/version.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/words.hpp"
#include "config/config.hpp"

namespace palang {
namespace {

void add_daemon(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("daemon", "Guard this host: read its logs, decide, drop in the kernel");
  auto options = std::make_shared<DaemonOptions>();
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_option("--socket", options->socket, "Where to answer commands")->type_name("PATH");
  command->add_option("--ledger", options->ledger, "Where decisions are kept")->type_name("FILE");
  command->add_flag("--dry-run", options->dry_run, "Decide and log, touch nothing");
  command->add_flag("--stdin", options->read_stdin, "Read standard input instead of the host's logs, then stop");
  command->callback(
      [&console, &chosen, options] { chosen = [&console, options] { return finish(run_daemon(*options), console); }; });
}

void add_replay(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("replay", "What would have happened: judge old logs under several policies");
  auto options = std::make_shared<ReplayOptions>();
  command->add_option("files", options->files, "Logs, plain or .gz or .xz, in any order; - is standard input")
      ->type_name("FILE")
      ->required();
  command->add_option("--config", options->config_path, "Judge by this configuration, too")->type_name("FILE");
  command->add_flag("--json", options->json, "One object for programs");
  command->callback([&console, &chosen, options] {
    chosen = [&console, options] { return finish(run_replay(*options, console), console); };
  });
}

Result<void> check(const std::optional<std::string>& path, const Console& console) {
  const auto config = load_config(path);
  if (!config) return Failure(config.error());
  const auto rules = load_rule_set(*config);
  if (!rules) return Failure(rules.error());
  console.out << describe(*config) << "rules: " << rules->summary << "\n";
  // Jails are somebody else's configuration: what can't be carried over is told, and no fault of this one.
  for (const std::string& fault : rules->jail_faults) console.err << "palang: " << printable(fault) << "\n";
  if (rules->faults.empty()) return {};
  std::string faults;
  for (const std::string& fault : rules->faults) faults += (faults.empty() ? "" : "\n") + fault;
  return Failure(Error::bad_config(std::move(faults)));
}

void add_check(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("check", "Check the configuration and say what it amounts to");
  auto path = std::make_shared<std::optional<std::string>>();
  auto print_defaults = std::make_shared<bool>(false);
  command->add_option("--config,file", *path, "The configuration")->type_name("FILE");
  command->add_flag("--print-defaults", *print_defaults, "Print a palang.toml with every key and its default");
  command->callback([&console, &chosen, path, print_defaults] {
    chosen = [&console, path, print_defaults] {
      if (!*print_defaults) return finish(check(*path, console), console);
      console.out << config_reference();
      return static_cast<int>(ExitCode::ok);
    };
  });
}

int run(int argc, char** argv) {
  Console console = Console::of_process();
  Chosen chosen;
  CLI::App app("palang: the bar across a gate. Keeps malicious connections off this server.", "palang");
  app.set_version_flag("--version", std::string("palang ") + version);
  app.require_subcommand(1);
  add_daemon(app, console, chosen);
  add_replay(app, console, chosen);
  add_check(app, console, chosen);
  add_rule_commands(app, console, chosen);
  add_firewall_commands(app, console, chosen);
  add_client_commands(app, console, chosen);
  return run_command_line(app, argc, argv, console, chosen);
}

}  // namespace
}  // namespace palang

int main(int argc, char** argv) {
  if (palang::is_csf(argv[0])) return palang::run_csf_program({argv + 1, argv + argc});
  return palang::run(argc, argv);
}
