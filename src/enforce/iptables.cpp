#include "enforce/iptables.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/text.hpp"
#include "enforce/child_process.hpp"
#include "enforce/ipset_set.hpp"

namespace palang {
namespace {

constexpr Duration iptables_patience{10s};
constexpr std::string_view full_chain = "PALANG-FULL";
constexpr std::string_view quiet_chain = "PALANG-QUIET";

struct Jump {
  std::string_view from;
  std::string_view to;
};
constexpr std::array<Jump, 2> our_jumps{{{"PREROUTING", full_chain}, {"INPUT", quiet_chain}}};

std::string find_iptables_program(const std::string& name) {
  for (const std::string_view directory : {"/usr/sbin/", "/sbin/", "/usr/local/sbin/", "/usr/bin/"})
    if (std::string path = std::string(directory) + name; ::access(path.c_str(), X_OK) == 0) return path;
  return {};
}

// A kernel without IPv6 has no tables for it.
bool has_ipv6() {
  return ::access("/proc/thread-self/net/if_inet6", F_OK) == 0;
}

// iptables-legacy makes the tables that it is asked about; other programs then warn of them.
bool legacy_table_exists(bool v4) {
  std::ifstream names(v4 ? "/proc/thread-self/net/ip_tables_names" : "/proc/thread-self/net/ip6_tables_names");
  for (std::string name; std::getline(names, name);)
    if (name == "mangle") return true;
  return false;
}

// Our chains end with RETURN where nft's would accept: to accept here would hide the packet from the rules of others.
std::vector<std::string> exemptions_of(std::string_view chain, bool v4) {
  std::vector<std::string> rules{
      fmt::format("-A {} -m conntrack --ctdir REPLY -j RETURN", chain),
      fmt::format("-A {} -i lo -j RETURN", chain),
  };
  // Neighbour discovery (RFC 4861) keeps a neighbour on the link.
  for (int type = 133; !v4 && type <= 137; ++type)
    rules.push_back(fmt::format("-A {} -p ipv6-icmp -m icmp6 --icmpv6-type {} -j RETURN", chain, type));
  const IpsetSet allowed{Role::allow, v4, true};
  rules.push_back(fmt::format("-A {} -m set --match-set {} src -j RETURN", chain, allowed.name()));
  return rules;
}

void add_drops(std::vector<std::string>& rules, std::string_view chain, Role role, bool v4) {
  for (const bool networks : {false, true})
    rules.push_back(fmt::format("-A {} -m set --match-set {} src -j DROP", chain, IpsetSet{role, v4, networks}.name()));
}

std::vector<std::string> our_rules(bool v4) {
  std::vector<std::string> rules = exemptions_of(full_chain, v4);
  add_drops(rules, full_chain, Role::full, v4);
  const auto quiet = exemptions_of(quiet_chain, v4);
  rules.insert(rules.end(), quiet.begin(), quiet.end());
  for (const auto& [protocol, role] : {std::pair{"tcp", Role::open_tcp}, std::pair{"udp", Role::open_udp}})
    rules.push_back(
        fmt::format("-A {} -p {} -m set --match-set {} dst -j RETURN", quiet_chain, protocol, IpsetSet{role}.name()));
  add_drops(rules, quiet_chain, Role::quiet, v4);
  return rules;
}

std::string jump_rule(const Jump& jump) {
  return fmt::format("-A {} -j {}", jump.from, jump.to);
}

bool mentions(std::string_view line, std::string_view word) {
  for (size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || line[at - 1] == ' ' || line[at - 1] == ':') && (end == line.size() || line[end] == ' '))
      return true;
  }
  return false;
}

bool is_ours(std::string_view line) {
  return mentions(line, full_chain) || mentions(line, quiet_chain);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

Result<ProgramOutput> run_iptables(std::span<const std::string> words, const std::string& input) {
  auto output = run_program(words, input, iptables_patience);
  if (!output || output->status == 0) return output;
  const auto said = lines_of(output->err);
  return fail(
      fmt::format("{}: {}", words[0],
                  said.empty() ? fmt::format("exit code {}", output->status) : escape_controls(trim(said.front()))));
}

}  // namespace

std::vector<Iptables::Tool> Iptables::tools_of(std::string_view kind) {
  std::vector<Tool> tools;
  for (const bool v4 : {true, false}) {
    if (!v4 && !has_ipv6()) continue;
    const std::string name = std::string(v4 ? "iptables" : "ip6tables") + std::string(kind);
    Tool tool{v4, kind == "-legacy", find_iptables_program(name + "-save"), find_iptables_program(name + "-restore")};
    if (!tool.save.empty() && !tool.restore.empty()) tools.push_back(std::move(tool));
  }
  return tools;
}

bool Iptables::has_rules(const std::vector<Tool>& tools) {
  for (const Tool& tool : tools) {
    const auto saved = run_iptables(std::array{tool.save}, {});
    if (!saved) continue;
    for (const std::string& line : lines_of(saved->out))
      if (line.starts_with("-A ") && !is_ours(line)) return true;
  }
  return false;
}

Result<Iptables> Iptables::choose() {
  Iptables chosen;
  const auto usual = tools_of("");
  const auto legacy = tools_of("-legacy");
  const auto by_nft = tools_of("-nft");
  if (usual.empty() && legacy.empty() && by_nft.empty())
    return fail("no iptables-save and iptables-restore on this host");
  std::error_code ignored;
  const auto program =
      usual.empty() ? std::filesystem::path() : std::filesystem::canonical(usual.front().save, ignored).filename();
  chosen.legacy_ = usual.empty() ? by_nft.empty() : program.string().find("nft") == std::string::npos;
  const auto& other = chosen.legacy_ ? by_nft : legacy;
  if (!other.empty() && !usual.empty() && !has_rules(usual) && has_rules(other)) chosen.legacy_ = !chosen.legacy_;
  const auto& same = chosen.legacy_ ? legacy : by_nft;
  chosen.tools_ = same.empty() ? usual : same;
  for (Tool& tool : chosen.tools_) tool.legacy = chosen.legacy_;
  chosen.others_ = chosen.legacy_ ? by_nft : legacy;
  return chosen;
}

Result<Iptables::Present> Iptables::read(const Tool& tool) {
  if (tool.legacy && !legacy_table_exists(tool.v4)) return Present{};
  const auto saved = run_iptables(std::array<std::string, 3>{tool.save, "-t", "mangle"}, {});
  if (!saved) return Failure(saved.error());
  Present present;
  for (const std::string& line : lines_of(saved->out)) {
    if (!is_ours(line)) continue;
    if (line.starts_with(":"))
      present.chains.push_back(line.substr(1, line.find(' ') - 1));
    else if (line.starts_with(fmt::format("-A {} ", full_chain)) ||
             line.starts_with(fmt::format("-A {} ", quiet_chain)))
      present.rules.push_back(line);
    else if (line.starts_with("-A "))
      present.jumps.push_back(line);
  }
  return present;
}

bool Iptables::is_whole(const Tool& tool, const Present& present) {
  const auto has_jump = [&](const Jump& jump) { return std::ranges::count(present.jumps, jump_rule(jump)) == 1; };
  return present.rules == our_rules(tool.v4) && std::ranges::all_of(our_jumps, has_jump);
}

bool Iptables::guards(bool v4) const {
  return std::ranges::any_of(tools_, [v4](const Tool& tool) { return tool.v4 == v4; });
}

Result<Iptables::State> Iptables::look() {
  for (const Tool& tool : tools_) {
    const auto present = read(tool);
    if (!present) return Failure(present.error());
    if (!is_whole(tool, *present)) return State::changed;
  }
  return State::as_written;
}

Result<Iptables::State> Iptables::ensure() {
  State state = State::as_written;
  for (const Tool& tool : tools_) {
    const auto present = read(tool);
    if (!present) return Failure(present.error());
    if (is_whole(tool, *present)) continue;
    state = State::changed;
    // A chain that is named gets flushed, and made where there is none.
    std::string text = fmt::format("*mangle\n:{} - [0:0]\n:{} - [0:0]\n", full_chain, quiet_chain);
    for (const std::string& rule : our_rules(tool.v4)) text += rule + "\n";
    for (const Jump& jump : our_jumps) {
      const auto there = std::ranges::count(present->jumps, jump_rule(jump));
      if (there == 0) text += fmt::format("-I {} 1 -j {}\n", jump.from, jump.to);
      for (auto i = there; i > 1; --i) text += fmt::format("-D {} -j {}\n", jump.from, jump.to);
    }
    if (auto done = restore(tool, text + "COMMIT\n"); !done) return Failure(done.error());
  }
  return state;
}

Result<void> Iptables::restore(const Tool& tool, const std::string& text) {
  // -w: somebody else may be at work.
  const auto done = run_iptables(std::array<std::string, 4>{tool.restore, "--noflush", "-w", "5"}, text);
  if (!done) return Failure(done.error());
  return {};
}

Result<void> Iptables::remove_from(const std::vector<Tool>& tools) {
  for (const Tool& tool : tools) {
    const auto present = read(tool);
    if (!present) return Failure(present.error());
    if (present->chains.empty()) continue;
    std::string text = "*mangle\n";
    for (const std::string& jump : present->jumps) text += "-D" + jump.substr(2) + "\n";
    for (const std::string& chain : present->chains) text += fmt::format("-F {}\n", chain);
    for (const std::string& chain : present->chains) text += fmt::format("-X {}\n", chain);
    if (auto done = restore(tool, text + "COMMIT\n"); !done) return done;
  }
  return {};
}

Result<void> Iptables::remove() {
  if (auto done = remove_from(tools_); !done) return done;
  return remove_from(others_);
}

Result<void> Iptables::remove_from_the_other() {
  return remove_from(others_);
}

}  // namespace palang
