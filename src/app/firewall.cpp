#include "app/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/firewall_context.hpp"
#include "app/firewall_safety.hpp"
#include "cli/words.hpp"
#include "firewall/firewall_keeper.hpp"
#include "firewall/text_difference.hpp"
#include "host/ssh_server.hpp"

namespace palang {
namespace {

Result<Config> firewall_config(const FirewallOptions& options) {
  auto config = load_config(options.config_path);
  if (config && options.ledger) config->ledger.path = *options.ledger;
  return config;
}

std::string config_path_of(const FirewallOptions& options) {
  return options.config_path ? *options.config_path : std::string(default_config_path);
}

// What a configuration comes to here and now.
struct Prepared {
  Config config;
  Surroundings surroundings;
  std::vector<LockOut> lock_outs;
};

Result<Prepared> prepare(const FirewallOptions& options) {
  auto config = firewall_config(options);
  if (!config) return Failure(config.error());
  if (!config->firewall)
    return Failure(Error::bad_config(fmt::format("{}: there is no [firewall]", config_path_of(options))));
  auto surroundings = look_up_surroundings(*config, config_path_of(options), SystemClock().now());
  if (!surroundings) return Failure(surroundings.error());
  Prepared prepared{std::move(*config), std::move(*surroundings), {}};
  prepared.lock_outs = find_lock_outs(*prepared.config.firewall, prepared.surroundings, look_for_protected());
  return prepared;
}

bool is_overruled(const LockOut& lock_out, const FirewallOptions& options) {
  return std::ranges::find(options.overruled, lock_out.name) != options.overruled.end();
}

void tell_lock_outs(const Prepared& prepared, const FirewallOptions& options, const Console& console) {
  for (const LockOut& lock_out : prepared.lock_outs)
    console.err << "palang: warning: " << printable(lock_out.sentence)
                << (is_overruled(lock_out, options) ? " (overruled)" : "") << "\n";
}

std::vector<std::string> established_now() {
  const HostRoot root;
  std::vector<std::string> texts;
  if (const auto connections = connections_to(root, ssh_ports(root)))
    for (const Socket& socket : *connections) texts.push_back(connection_text(socket));
  if (const std::string own = own_ssh_connection(root); !own.empty()) texts.push_back(own);
  return texts;
}

std::string difference_to(const FirewallStanding& standing, const CompiledPolicy& policy) {
  const std::string was = standing.confirmed ? comparable_policy(standing.confirmed->whole) : std::string();
  return text_difference(was, comparable_policy(whole_policy(policy)));
}

std::string print_spans(const PortSet& ports) {
  std::string text;
  const auto list = ports.list();
  for (size_t i = 0; i < list.size();) {
    size_t j = i;
    while (j + 1 < list.size() && list[j + 1] == list[j] + 1) ++j;
    text += fmt::format("{}{}", text.empty() ? "" : " ", list[i]);
    if (j > i) text += fmt::format("-{}", list[j]);
    i = j + 1;
  }
  return text.empty() ? "none" : text;
}

std::string_view word_of(const FirewallStanding& standing) {
  if (standing.panics) return "panic";
  if (standing.trial) return "on trial";
  return standing.confirmed ? "on" : "off";
}

}  // namespace

Result<void> firewall_plan(const FirewallOptions& options, const Console& console) {
  const auto prepared = prepare(options);
  if (!prepared) return Failure(prepared.error());
  FirewallKeeper keeper(firewall_directory(prepared->config));
  const auto standing = keeper.standing();
  if (!standing) return Failure(standing.error());
  const uint32_t generation = standing->confirmed ? standing->confirmed->generation + 1 : 1;
  const CompiledPolicy policy = compile_policy(*prepared->config.firewall, prepared->surroundings, generation);
  const std::string difference = difference_to(*standing, policy);
  if (standing->confirmed && !standing->in_kernel && !standing->trial)
    console.err << "palang: warning: the kernel doesn't hold the policy that was confirmed; the daemon, or 'palang "
                   "firewall load', puts it back\n";
  console.out << (difference.empty() ? "nothing would change\n" : difference);
  for (const std::string& note : policy.notes) console.err << "palang: note: " << printable(note) << "\n";
  tell_lock_outs(*prepared, options, console);
  return {};
}

Result<void> firewall_apply(const FirewallOptions& options, const Console& console) {
  const auto prepared = prepare(options);
  if (!prepared) return Failure(prepared.error());
  const FirewallSettings& settings = *prepared->config.firewall;
  tell_lock_outs(*prepared, options, console);
  for (const LockOut& lock_out : prepared->lock_outs)
    if (settings.protect && !is_overruled(lock_out, options))
      return fail(fmt::format("apply the policy: {}; nothing was changed. If that is meant, add --overrule={}",
                              lock_out.sentence, lock_out.name));
  FirewallKeeper keeper(firewall_directory(prepared->config));
  const auto generation = keeper.next_generation();
  if (!generation) return Failure(generation.error());
  const auto standing = keeper.standing();
  if (!standing) return Failure(standing.error());
  if (standing->panics) return Failure(Error::usage("a panic is on: end it first, with 'palang firewall panic --end'"));
  const CompiledPolicy policy = compile_policy(settings, prepared->surroundings, *generation);
  for (const std::string& note : policy.notes) console.err << "palang: note: " << printable(note) << "\n";
  const StoredPolicy stored = stored_policy(policy, hosts_of(settings), settings.nflog_group);
  if (const auto done = keeper.begin_trial(policy, stored, settings.confirm_within, established_now()); !done)
    return done;
  console.out << fmt::format(
      "The policy is in force for {}. Open a new connection to this host, and say there:\n  palang firewall confirm\n"
      "Without that, what was in force before is again in {}.\n",
      approximate_duration(settings.confirm_within), approximate_duration(settings.confirm_within));
  return {};
}

Result<void> firewall_confirm(const FirewallOptions& options, const Console& console) {
  const auto config = firewall_config(options);
  if (!config) return Failure(config.error());
  FirewallKeeper keeper(firewall_directory(*config));
  const auto standing = keeper.standing();
  if (!standing) return Failure(standing.error());
  if (!standing->trial)
    return Failure(Error::usage("there is nothing to confirm: no policy is on trial, or its time is over"));
  const HostRoot root;
  // Who is in no ssh connection sits at the console, whom no firewall locks out.
  if (const std::string own = own_ssh_connection(root); !own.empty()) {
    const auto& old = standing->trial->connections;
    if (std::ranges::find(old, own) != old.end())
      return Failure(
          Error::usage("this connection is older than the policy, and proves nothing: say it in a new connection"));
    const auto connections = connections_to(root, ssh_ports(root));
    if (!connections) return Failure(connections.error());
    if (std::ranges::find(*connections, own, connection_text) == connections->end())
      return Failure(Error::usage("this shell's connection is gone: say it in a new connection"));
  }
  if (const auto done = keeper.confirm(); !done) return done;
  console.out << "The policy is confirmed, and will be in force at boot.\n";
  return {};
}

Result<void> firewall_off(const FirewallOptions& options, const Console& console) {
  const auto config = firewall_config(options);
  if (!config) return Failure(config.error());
  FirewallKeeper keeper(firewall_directory(*config));
  if (const auto done = keeper.remove(); !done) return done;
  console.out << "The firewall is off; bans stay in force.\n";
  return {};
}

Result<void> firewall_panic(const FirewallOptions& options, const Console& console) {
  const auto config = firewall_config(options);
  if (!config) return Failure(config.error());
  FirewallKeeper keeper(firewall_directory(*config));
  if (options.end) {
    if (const auto done = keeper.end_panic(); !done) return done;
    console.out << "The panic is over.\n";
    return {};
  }
  std::vector<Prefix> allowed = config->policy.allow;
  if (config->firewall) {
    const auto known = look_up_surroundings(*config, config_path_of(options), SystemClock().now());
    if (!known) return Failure(known.error());
    for (const FirewallList& list : config->firewall->lists)
      if (const auto found = known->lists.find(list.name);
          list.action == FirewallList::Action::allow && found != known->lists.end())
        allowed.insert(allowed.end(), found->second.begin(), found->second.end());
  }
  const Protected guarded = look_for_protected();
  for (const Address& admin : guarded.admins) {
    const bool stays = std::ranges::any_of(allowed, [&](const Prefix& prefix) { return prefix.contains(admin); });
    if (stays || is_overruled({admin.text(), {}}, options)) continue;
    return fail(fmt::format(
        "panic: your ssh session from {} would be cut, as it is not among [allow] prefixes or a list that allows; "
        "nothing was changed. If that is meant, add --overrule={}",
        admin.text(), admin.text()));
  }
  PortSpans ssh;
  for (const uint16_t port : guarded.ssh.list()) ssh.push_back({port, port});
  if (ssh.empty()) ssh.push_back({22, 22});
  const auto generation = keeper.next_generation();
  if (!generation) return Failure(generation.error());
  if (const auto done = keeper.panic(compile_panic(allowed, ssh, *generation)); !done) return done;
  console.out << "Nothing comes in but ssh from those who are allowed. Back: palang firewall panic --end\n";
  return {};
}

Result<void> firewall_status(const FirewallOptions& options, const Console& console) {
  const auto config = firewall_config(options);
  if (!config) return Failure(config.error());
  FirewallKeeper keeper(firewall_directory(*config));
  const auto standing = keeper.standing();
  if (!standing) return Failure(standing.error());
  const PublicPorts open = standing->trial       ? standing->trial->policy.open
                           : standing->confirmed ? standing->confirmed->open
                                                 : PublicPorts{};
  const bool missing = (standing->confirmed || standing->panics) && !standing->in_kernel;
  if (options.json) {
    nlohmann::json object{{"firewall", word_of(*standing)},
                          {"in_kernel", standing->in_kernel},
                          {"open_tcp", print_spans(open.tcp)},
                          {"open_udp", print_spans(open.udp)}};
    if (standing->trial_left) object["trial_left"] = std::chrono::duration<double>(*standing->trial_left).count();
    console.out << object.dump() << "\n";
    return {};
  }
  console.out << fmt::format(
      "firewall: {}{}\n", word_of(*standing),
      standing->trial_left ? fmt::format(", {} left to confirm", approximate_duration(*standing->trial_left)) : "");
  if (standing->confirmed || standing->trial)
    console.out << fmt::format("open to all: tcp {}; udp {}\n", print_spans(open.tcp), print_spans(open.udp));
  if (missing) console.out << "the kernel doesn't hold it: 'palang firewall load' puts it back\n";
  return {};
}

Result<void> firewall_load(const std::string& directory, const Console& console) {
  FirewallKeeper keeper(directory);
  const auto restored = keeper.restore();
  if (!restored) return Failure(restored.error());
  console.out << (*restored ? "The confirmed policy is in force.\n" : "There is nothing to do.\n");
  return {};
}

}  // namespace palang
