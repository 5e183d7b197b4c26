#include "firewall/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/text.hpp"
#include "firewall/nft_script.hpp"

namespace palang {
namespace {

constexpr std::string_view trial_set = "fw_trial";

bool is_base(std::string_view chain) {
  return std::ranges::find(firewall_hooks(), chain, &FirewallHook::chain) != firewall_hooks().end();
}

// Flushes everything that goes before anything is deleted: chains and sets refer to one another.
std::string removal_of(const FirewallInKernel& now, const std::function<bool(std::string_view)>& goes) {
  std::string text;
  for (const std::string& chain : now.chains)
    if (is_base(chain) || goes(chain)) text += fmt::format("flush chain inet {} {}\n", firewall_table, chain);
  for (const std::string& chain : now.chains)
    if (goes(chain)) text += fmt::format("delete chain inet {} {}\n", firewall_table, chain);
  for (const std::string& set : now.sets)
    if (goes(set)) text += fmt::format("delete set inet {} {}\n", firewall_table, set);
  return text;
}

std::string base_chain(const FirewallHook& hook, const std::vector<std::string>& rules) {
  std::string text = fmt::format("  chain {} {{\n    {}; policy accept;\n", hook.chain, hook.place);
  for (const std::string& rule : rules) text += fmt::format("    {}\n", rule);
  return text + "  }\n";
}

std::string go_to(const FirewallHook& hook, uint32_t generation) {
  return fmt::format("goto fw_{}_{}", hook.part, generation);
}

bool has(const std::vector<std::string_view>& hooks, std::string_view chain) {
  return std::ranges::find(hooks, chain) != hooks.end();
}

std::string begin_table() {
  return fmt::format("add table inet {}\n", firewall_table);
}

}  // namespace

FirewallInKernel FirewallInKernel::parse(std::string_view listing) {
  FirewallInKernel held;
  while (!listing.empty()) {
    const std::string_view line = trim(listing.substr(0, listing.find('\n')));
    listing.remove_prefix(std::min(listing.find('\n'), listing.size() - 1) + 1);
    const auto name_after = [&](std::string_view head) -> std::string {
      if (!line.starts_with(head) || !line.ends_with("{")) return {};
      return std::string(trim(line.substr(head.size(), line.size() - head.size() - 1)));
    };
    if (std::string chain = name_after("chain "); !chain.empty()) held.chains.push_back(std::move(chain));
    if (std::string set = name_after("set "); !set.empty()) held.sets.push_back(std::move(set));
  }
  return held;
}

uint32_t generation_of(std::string_view name) {
  if (is_base(name) || name == trial_set) return 0;
  const std::string_view digits = name.substr(name.rfind('_') + 1);
  uint32_t generation = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), generation);
  return status == std::errc{} && end == digits.data() + digits.size() ? generation : 0;
}

uint32_t FirewallInKernel::newest_generation() const {
  uint32_t newest = 0;
  for (const std::string& chain : chains) newest = std::max(newest, generation_of(chain));
  for (const std::string& set : sets) newest = std::max(newest, generation_of(set));
  return newest;
}

bool FirewallInKernel::has_generation(uint32_t generation) const {
  return generation > 0 && std::ranges::any_of(chains, [&](const std::string& chain) {
           return chain == fmt::format("fw_in_{}", generation);
         });
}

std::string script_of_trial(const Trial& trial, const FirewallInKernel& now) {
  std::string text = begin_table();
  text += removal_of(now, [&](std::string_view name) {
    const uint32_t generation = generation_of(name);
    return !is_base(name) && (generation == 0 || generation != trial.before);
  });
  text += trial.policy.text;
  const std::string lasts =
      fmt::format("{}ms", std::chrono::duration_cast<std::chrono::milliseconds>(trial.lasts).count());
  text += fmt::format("table inet {} {{\n", firewall_table);
  text += fmt::format(
      "  set {} {{ typeof meta nfproto; flags timeout; elements = {{ ipv4 timeout {}, ipv6 timeout {} }} }}\n",
      trial_set, lasts, lasts);
  for (const FirewallHook& hook : firewall_hooks()) {
    const bool was = trial.before > 0 && has(trial.hooks_before, hook.chain);
    const bool is = has(trial.policy.hooks, hook.chain);
    const bool exists = std::ranges::find(now.chains, hook.chain) != now.chains.end();
    if (!was && !is && !exists) continue;
    std::vector<std::string> rules;
    const std::string on_trial = fmt::format("meta nfproto @{} ", trial_set);
    if (is) rules.push_back(on_trial + go_to(hook, trial.policy.generation));
    if (!is && was) rules.push_back(on_trial + "accept");
    if (was) rules.push_back(go_to(hook, trial.before));
    text += base_chain(hook, rules);
  }
  return text + "}\n";
}

std::string whole_policy(const CompiledPolicy& policy) {
  std::string text = begin_table() + policy.text;
  text += fmt::format("table inet {} {{\n", firewall_table);
  for (const FirewallHook& hook : firewall_hooks())
    if (has(policy.hooks, hook.chain)) text += base_chain(hook, {go_to(hook, policy.generation)});
  return text + "}\n";
}

std::string script_to_load(std::string_view whole_policy, const FirewallInKernel& now) {
  return script_to_remove(now) + std::string(whole_policy);
}

std::string script_to_settle(uint32_t generation, const FirewallInKernel& now) {
  const auto uses = [&](const FirewallHook& hook) {
    return std::ranges::find(now.chains, fmt::format("fw_{}_{}", hook.part, generation)) != now.chains.end();
  };
  std::string text = removal_of(now, [&](std::string_view name) {
    const auto hook = std::ranges::find(firewall_hooks(), name, &FirewallHook::chain);
    return hook == firewall_hooks().end() ? generation_of(name) != generation : !uses(*hook);
  });
  text += fmt::format("table inet {} {{\n", firewall_table);
  for (const FirewallHook& hook : firewall_hooks())
    if (uses(hook)) text += base_chain(hook, {go_to(hook, generation)});
  return text + "}\n";
}

std::string script_to_remove(const FirewallInKernel& now) {
  return removal_of(now, [](std::string_view) { return true; });
}

}  // namespace palang
