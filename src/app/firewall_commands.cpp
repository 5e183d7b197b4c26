#include "app/firewall_commands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "app/finish.hpp"
#include "app/firewall.hpp"

namespace palang {
namespace {

using Run = Result<void> (*)(const FirewallOptions&, const Console&);

CLI::App* add_firewall_command(CLI::App& firewall, Console& console, Chosen& chosen, const std::string& name,
                               const std::string& help, Run run, const std::shared_ptr<FirewallOptions>& options) {
  CLI::App* command = firewall.add_subcommand(name, help);
  command->add_option("--config", options->config_path, "The configuration")->type_name("FILE");
  command->add_option("--ledger", options->ledger, "The ledger, beside which the firewall's files lie")
      ->type_name("FILE");
  command->callback([&console, &chosen, options, run] {
    chosen = [&console, options, run] { return finish(run(*options, console), console); };
  });
  return command;
}

void add_overrule(CLI::App* command, const std::shared_ptr<FirewallOptions>& options) {
  command
      ->add_option("--overrule", options->overruled,
                   "Shut out what a warning names all the same: an address, ssh or gateway")
      ->type_name("NAME");
}

}  // namespace

void add_firewall_commands(CLI::App& app, Console& console, Chosen& chosen) {
  CLI::App* firewall = app.add_subcommand("firewall", "The standing policy: open ports, who may ssh");
  firewall->require_subcommand(1);
  const auto options = std::make_shared<FirewallOptions>();
  const auto add = [&](const std::string& name, const std::string& help, Run run) {
    return add_firewall_command(*firewall, console, chosen, name, help, run, options);
  };
  add_overrule(add("plan", "Show what would change, and who would be shut out; change nothing", firewall_plan),
               options);
  add_overrule(add("apply", "Put the policy in force, until it is confirmed or its time is over", firewall_apply),
               options);
  add("confirm", "Keep the policy that was applied; to be said in a new connection", firewall_confirm);
  CLI::App* panic = add("panic", "Let in nothing but ssh from those who are allowed, at once", firewall_panic);
  panic->add_flag("--end", options->end, "Back to the policy that was in force");
  add_overrule(panic, options);
  add("off", "Take the policy away; bans stay", firewall_off);
  add("status", "Show what is in force", firewall_status)->add_flag("--json", options->json, "One object for programs");

  CLI::App* load = firewall->add_subcommand("load", "Put the confirmed policy in force, as at boot");
  const auto directory = std::make_shared<std::string>("/var/lib/palang");
  load->add_option("--state", *directory, "Where it lies")->type_name("DIR")->capture_default_str();
  load->callback([&console, &chosen, directory] {
    chosen = [&console, directory] { return finish(firewall_load(*directory, console), console); };
  });
}

}  // namespace palang
