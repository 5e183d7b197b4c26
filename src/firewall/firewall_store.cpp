#include "firewall/firewall_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/text.hpp"
#include "firewall/list_file.hpp"
#include "firewall/transaction.hpp"

namespace palang {
namespace {

constexpr size_t most_policy_bytes = size_t{256} << 20;
constexpr std::string_view trial_file = "firewall.trial";
constexpr std::string_view listing_file = "firewall.seen";

std::string_view file_of(FirewallStore::Policy which) {
  return which == FirewallStore::Policy::panic ? "firewall.panic.nft" : "firewall.nft";
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!(text = trim(text)).empty()) {
    parts.emplace_back(text.substr(0, text.find(' ')));
    text.remove_prefix(parts.back().size());
  }
  return parts;
}

std::string print_ports(const PortSet& ports) {
  std::string text;
  const auto list = ports.list();
  for (size_t i = 0; i < list.size();) {
    size_t j = i;
    while (j + 1 < list.size() && list[j + 1] == list[j] + 1) ++j;
    text += i == j ? fmt::format(" {}", list[i]) : fmt::format(" {}-{}", list[i], list[j]);
    i = j + 1;
  }
  return text;
}

std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

bool parse_ports(std::string_view text, PortSet& ports) {
  for (const std::string& part : split(text)) {
    const size_t dash = part.find('-');
    const auto first = number_of(std::string_view(part).substr(0, dash));
    const auto last = dash == std::string::npos ? first : number_of(std::string_view(part).substr(dash + 1));
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last) return false;
    for (int64_t port = *first; port <= *last; ++port) ports.add(static_cast<uint16_t>(port));
  }
  return true;
}

// "# key: value" lines at the beginning of a file.
std::optional<std::string_view> heading(std::string_view text, std::string_view key) {
  while (text.starts_with("#")) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string_view rest = trim(line.substr(1));
    if (!rest.starts_with(key)) continue;
    rest.remove_prefix(key.size());
    if (rest.starts_with(":")) return trim(rest.substr(1));
  }
  return std::nullopt;
}

std::string_view without_headings(std::string_view text) {
  while (text.starts_with("#")) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

}  // namespace

StoredPolicy stored_policy(const CompiledPolicy& policy, std::vector<std::string> hosts, uint32_t nflog_group) {
  StoredPolicy stored;
  stored.generation = policy.generation;
  stored.hooks.assign(policy.hooks.begin(), policy.hooks.end());
  stored.hosts = std::move(hosts);
  stored.open = policy.open;
  stored.nflog_group = nflog_group;
  stored.whole = whole_policy(policy);
  return stored;
}

std::string print_policy(const StoredPolicy& policy) {
  return fmt::format(
      "# The standing firewall, as 'palang firewall load' puts it in force, also at boot. Made by 'palang firewall "
      "apply'.\n# generation: {}\n# hooks: {}\n# hosts: {}\n# open-tcp:{}\n# open-udp:{}\n# nflog-group: {}\n{}",
      policy.generation, fmt::join(policy.hooks, " "), fmt::join(policy.hosts, " "), print_ports(policy.open.tcp),
      print_ports(policy.open.udp), policy.nflog_group, policy.whole);
}

Result<StoredPolicy> parse_policy(std::string_view text) {
  StoredPolicy policy;
  const auto generation = number_of(heading(text, "generation").value_or(""));
  const auto group = number_of(heading(text, "nflog-group").value_or(""));
  const bool ports = parse_ports(heading(text, "open-tcp").value_or(""), policy.open.tcp) &&
                     parse_ports(heading(text, "open-udp").value_or(""), policy.open.udp);
  if (!generation || *generation == 0 || *generation > UINT32_MAX || !group || *group > 65535 || !ports)
    return fail("not a policy that palang wrote: its head is damaged");
  policy.generation = static_cast<uint32_t>(*generation);
  policy.nflog_group = static_cast<uint32_t>(*group);
  policy.hooks = split(heading(text, "hooks").value_or(""));
  policy.hosts = split(heading(text, "hosts").value_or(""));
  policy.whole = without_headings(text);
  return policy;
}

Result<Fd> FirewallStore::lock(Duration patience) const {
  const std::string file = path("firewall.lock");
  Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_os("open", file, errno);
  constexpr std::chrono::milliseconds pause{20};
  for (Duration waited{0};; waited += pause) {
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_os("lock", file, errno);
    if (waited >= patience) return fail(fmt::format("lock {}: another palang changes the firewall right now", file));
    std::this_thread::sleep_for(pause);
  }
}

Result<std::optional<std::string>> FirewallStore::read_file(std::string_view name) const {
  auto text = read_small_file(path(name), most_policy_bytes);
  if (!text && text.error().os == ENOENT) return std::optional<std::string>();
  if (!text) return Failure(text.error());
  return std::optional<std::string>(std::move(*text));
}

// Durable before it takes the place of what was there: a crash leaves the one or the other.
Result<void> FirewallStore::write_file(std::string_view name, std::string_view text) const {
  const std::string file = path(name);
  const std::string fresh = file + ".new";
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_os("write", fresh, errno);
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_os("write", fresh, errno);
    rest.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return fail_os("write", fresh, errno);
  if (::rename(fresh.c_str(), file.c_str()) != 0) return fail_os("rename", fresh, errno);
  const Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) (void)::fsync(directory.get());
  return {};
}

Result<void> FirewallStore::remove_file(std::string_view name) const {
  if (::unlink(path(name).c_str()) != 0 && errno != ENOENT) return fail_os("remove", path(name), errno);
  return {};
}

Result<std::optional<StoredPolicy>> FirewallStore::read(Policy which) const {
  const auto text = read_file(file_of(which));
  if (!text) return Failure(text.error());
  if (!*text) return std::optional<StoredPolicy>();
  auto policy = parse_policy(**text);
  if (!policy) return fail(fmt::format("read {}: {}", path(file_of(which)), policy.error().text));
  return std::optional<StoredPolicy>(std::move(*policy));
}

Result<void> FirewallStore::write(Policy which, const StoredPolicy& policy) const {
  return write_file(file_of(which), print_policy(policy));
}

Result<void> FirewallStore::remove(Policy which) const {
  return remove_file(file_of(which));
}

Result<std::optional<StoredTrial>> FirewallStore::read_trial() const {
  const auto text = read_file(trial_file);
  if (!text) return Failure(text.error());
  if (!*text) return std::optional<StoredTrial>();
  auto policy = parse_policy(**text);
  const auto ends = number_of(heading(**text, "trial-ends").value_or(""));
  if (!policy || !ends) return fail(fmt::format("read {}: it is damaged", path(trial_file)));
  StoredTrial trial;
  trial.policy = std::move(*policy);
  trial.ends_ms = *ends;
  trial.boot = heading(**text, "boot").value_or("");
  trial.connections = split(heading(**text, "connections").value_or(""));
  return std::optional<StoredTrial>(std::move(trial));
}

Result<void> FirewallStore::write_trial(const StoredTrial& trial) const {
  return write_file(trial_file, fmt::format("# trial-ends: {}\n# boot: {}\n# connections: {}\n{}", trial.ends_ms,
                                            trial.boot, fmt::join(trial.connections, " "), print_policy(trial.policy)));
}

Result<void> FirewallStore::remove_trial() const {
  return remove_file(trial_file);
}

std::string FirewallStore::read_listing() const {
  const auto text = read_file(listing_file);
  return text && *text ? **text : std::string();
}

Result<void> FirewallStore::write_listing(const std::string& listing) const {
  return write_file(listing_file, listing);
}

}  // namespace palang
