#include "cli/commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/actions.hpp"
#include "cli/words.hpp"
#include "net/prefix.hpp"

namespace palang {
namespace {

constexpr size_t longest_word = 40;  // of a mistyped command, in what is said of it

// The options every client command has.
struct Common {
  std::string socket{default_socket};
  bool json = false;
  bool no_color = false;
};

// Checks of values say what is wrong before the daemon is asked. (CLI11 wants "" for good.)
template <typename Value>
CLI::Validator parses_as(Result<Value> (*parse)(std::string_view), const std::string& shown) {
  return {[parse](std::string& text) {
            const Result<Value> parsed = parse(text);
            return parsed ? std::string() : parsed.error().text;
          },
          shown};
}

CLI::Validator is_prefix() {
  return parses_as<Prefix>(Prefix::parse, "PREFIX");
}

CLI::Validator is_address() {
  return parses_as<Address>(Address::parse, "IP");
}

CLI::Validator is_duration() {
  return parses_as<Duration>(parse_duration, "DURATION");
}

CLI::Validator is_count() {
  return {[](const std::string& text) {
            const bool counts = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
            return counts ? std::string() : fmt::format("'{}' is not a number from 0", printable(text));
          },
          "N"};
}

// One command: its parser, and the options that all have.
class ClientCommand {
 public:
  ClientCommand(CLI::App& app, Console& console, Chosen& chosen, const std::string& name, const std::string& help)
      : app_(*app.add_subcommand(name, help)), console_(console), chosen_(chosen) {
    app_.add_flag("--json", common_->json, "Print the daemon's JSON");
    app_.add_option("--socket", common_->socket, "Where the daemon answers")->type_name("PATH")->capture_default_str();
    app_.add_flag("--no-color,--no-colour", common_->no_color, "No colours, as NO_COLOR does");
  }

  [[nodiscard]] CLI::App* operator->() const { return &app_; }

  template <typename Action>
  void runs(Action action) {
    app_.callback([&console = console_, &chosen = chosen_, common = common_, action = std::move(action)] {
      chosen = [&console, common, action] {
        if (common->no_color) console.colour = false;
        const Session session{ApiClient(common->socket), console, common->json, SystemClock{}.now()};
        const Result<ExitCode> code = action(session);
        if (code) return static_cast<int>(*code);
        console.err << "palang: " << printable(code.error().text) << "\n";
        return static_cast<int>(exit_code_of(code.error().kind));
      };
    });
  }

 private:
  CLI::App& app_;
  Console& console_;
  Chosen& chosen_;
  std::shared_ptr<Common> common_ = std::make_shared<Common>();
};

void add_status(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "status", "Show whether all is well, and what is being done");
  command.runs(show_status);
}

void add_list(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "list", "List the bans, or who is allowed");
  const auto options = std::make_shared<ListOptions>();
  command->add_option("--within", options->within, "Only what is inside or around this prefix")->check(is_prefix());
  auto* const rule =
      command->add_option("--rule", options->rule, "Only bans of this rule, as 'palang rules list' names them");
  rule->type_name("RULE");
  auto* const scope = command->add_option("--scope", options->scope, "Only bans of this scope");
  scope->check(CLI::IsMember({"quiet", "full"}));
  auto* const origin = command->add_option("--origin", options->origin, "Only bans from there");
  origin->check(CLI::IsMember({"local", "manual", "imported", "feed", "fleet"}));
  auto* const order =
      command->add_option("--sort", options->order, "from: newest first; until: soonest end first; hits; prefix");
  order->check(CLI::IsMember({"from", "until", "hits", "prefix"}));
  auto* const limit =
      command->add_option("--limit", options->limit, "At most so many; 0: all (default: 50, with --json all)");
  limit->check(is_count());
  auto* const allowed = command->add_flag("--allowed", options->allowed, "Who is never banned, and why");
  for (auto* const option : {rule, scope, origin, order, limit}) allowed->excludes(option);
  command.runs([options](const Session& session) { return list(session, *options); });
}

void add_why(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "why", "Explain what happens to an address, and why");
  const auto address = std::make_shared<std::string>();
  command->add_option("address", *address, "The address")->required()->check(is_address());
  command.runs([address](const Session& session) { return explain(session, *address); });
}

void add_ban(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "ban", "Ban an address or a network");
  const auto options = std::make_shared<BanOptions>();
  command->add_option("prefix", options->prefix, "Address or network")->required()->check(is_prefix());
  command->add_option("--for", options->length, "How long, as in 3d (default: as the policy says)")
      ->check(is_duration());
  command->add_option("--reason", options->reason, "For whoever asks why");
  command->add_option("--scope", options->scope, "full: everywhere (default); quiet: open ports stay open")
      ->check(CLI::IsMember({"full", "quiet"}));
  command.runs([options](const Session& session) { return ban(session, *options); });
}

void add_unban(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "unban", "Lift the ban of an address or a network, or all bans");
  const auto options = std::make_shared<UnbanOptions>();
  auto* const which = command->add_option_group("which");
  which->add_option("prefix", options->prefix, "Address or network")->check(is_prefix());
  which->add_flag("--all", options->all, "Every ban");
  which->require_option(1);
  command->add_flag("--yes", options->yes, "Don't ask before lifting every ban");
  command.runs([options](const Session& session) { return unban(session, *options); });
}

void add_allow(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "allow", "Never ban an address or a network");
  const auto options = std::make_shared<AllowOptions>();
  command->add_option("prefix", options->prefix, "Address or network")->required()->check(is_prefix());
  auto* const length = command->add_option("--for", options->length, "How long, as in 12h (default: without end)");
  length->check(is_duration());
  auto* const note = command->add_option("--note", options->note, "For whoever asks why");
  command->add_flag("--remove", options->remove, "Judge it like any other again")->excludes(length)->excludes(note);
  command.runs([options](const Session& session) { return allow(session, *options); });
}

void add_watch(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "watch", "Show bans as they come and go");
  command.runs(watch);
}

void add_reload(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "reload", "Have the daemon read its configuration again");
  command.runs(reload);
}

void add_stop(CLI::App& app, Console& console, Chosen& chosen) {
  ClientCommand command(app, console, chosen, "stop", "Stop the daemon; its bans stay, and end on time");
  const auto lift = std::make_shared<bool>(false);
  command->add_flag("--lift", *lift, "Take every ban out of the kernel first");
  command.runs([lift](const Session& session) { return stop(session, *lift); });
}

// What is wrong with the command line, as a sentence.
std::string complaint(const CLI::App& app, int argc, const char* const* argv, const CLI::ParseError& error) {
  const std::string_view first = argc < 2 ? "" : argv[1];
  const bool is_command = !app.get_subcommands().empty();
  if (is_command || first.empty() || first.starts_with('-')) return printable(error.what());
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = nearest(first.substr(0, longest_word), candidates);
  const std::string hint = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
  return fmt::format("there is no command '{}'{}", printable(first.substr(0, longest_word)), hint);
}

}  // namespace

void add_client_commands(CLI::App& app, Console& console, Chosen& chosen) {
  for (const auto add : {add_status, add_list, add_why, add_ban, add_unban, add_allow, add_watch, add_reload, add_stop})
    add(app, console, chosen);
}

int run_command_line(CLI::App& app, int argc, const char* const* argv, Console& console, const Chosen& chosen) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, console.out, console.err);  // --help, --version
    console.err << "palang: " << complaint(app, argc, argv, error) << " (see palang --help)\n";
    return static_cast<int>(ExitCode::usage);
  }
  return chosen ? chosen() : static_cast<int>(ExitCode::usage);
}

}  // namespace palang
