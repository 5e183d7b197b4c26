#include "app/firewall_guard.hpp"

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <resolv.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "app/firewall_context.hpp"
#include "base/log.hpp"

namespace palang {
namespace {

constexpr std::chrono::seconds least_wait{30};
constexpr std::chrono::seconds most_wait{3600};
constexpr std::chrono::seconds usual_wait{60};  // where no name server tells: /etc/hosts, or it doesn't answer

// How long the name server's answer holds; the shorter of both families.
std::chrono::seconds time_to_live(const std::string& host) {
  struct __res_state state{};
  if (::res_ninit(&state) != 0) return usual_wait;
  std::optional<uint32_t> shortest;
  for (const int type : {ns_t_a, ns_t_aaaa}) {
    std::array<unsigned char, NS_PACKETSZ * 8> answer{};
    const int size = ::res_nquery(&state, host.c_str(), ns_c_in, type, answer.data(), answer.size());
    ns_msg message{};
    if (size <= 0 || ::ns_initparse(answer.data(), std::min<int>(size, answer.size()), &message) != 0) continue;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
      ns_rr record{};
      if (::ns_parserr(&message, ns_s_an, i, &record) != 0) break;
      const uint32_t seconds = ns_rr_ttl(record);
      shortest = std::min(shortest.value_or(seconds), seconds);
    }
  }
  ::res_nclose(&state);
  if (!shortest) return usual_wait;
  return std::clamp(std::chrono::seconds{*shortest}, least_wait, most_wait);
}

PublicPorts both(const PublicPorts& a, const PublicPorts& b) {
  PublicPorts all = a;
  for (const uint16_t port : b.tcp.list()) all.tcp.add(port);
  for (const uint16_t port : b.udp.list()) all.udp.add(port);
  return all;
}

}  // namespace

HostNames::HostNames() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

HostNames::~HostNames() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

HostNames::Found HostNames::take() {
  eventfd_t ignored = 0;
  (void)::eventfd_read(event_.get(), &ignored);
  const std::lock_guard lock(mutex_);
  return found_;
}

void HostNames::watch(std::vector<std::string> hosts) {
  {
    const std::lock_guard lock(mutex_);
    if (hosts == hosts_) return;
    hosts_ = std::move(hosts);
    renewed_ = true;
  }
  wake_.notify_all();
}

void HostNames::run() {
  std::chrono::seconds wait{0};
  std::unique_lock lock(mutex_);
  while (!closing_) {
    const auto called = [this] { return closing_ || renewed_; };
    if (hosts_.empty())
      wake_.wait(lock, called);
    else
      wake_.wait_for(lock, wait, called);
    if (closing_) return;
    renewed_ = false;
    const std::vector<std::string> hosts = hosts_;
    lock.unlock();
    Found found;
    wait = most_wait;
    for (const std::string& host : hosts) {
      wait = std::min(wait, time_to_live(host));
      if (auto addresses = resolve_host(host); !addresses.empty()) found[host] = std::move(addresses);
    }
    lock.lock();
    if (found == found_) continue;
    found_ = std::move(found);
    (void)::eventfd_write(event_.get(), 1);
  }
}

std::string FirewallGuard::files_now() const {
  std::string text;
  for (const char* const name : {"firewall.nft", "firewall.panic.nft", "firewall.trial", "firewall.seen"}) {
    struct stat status{};
    if (::stat((keeper_.store().directory() + "/" + name).c_str(), &status) == 0)
      text += fmt::format("{}:{}:{}.{} ", name, status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return text;
}

bool FirewallGuard::look(bool changed) {
  const std::string files = files_now();
  if (files.empty() && files_.empty()) return false;  // nobody has a firewall
  if (!changed && !pending_ && !on_trial_ && files == files_) return false;
  // Who holds the lock is changing it right now; then this is looked at again.
  const auto restored = keeper_.restore(Duration{0});
  pending_ = !restored;
  const std::string trouble = restored ? std::string() : restored.error().text;
  if (!trouble.empty() && trouble != trouble_ && trouble.find("another palang") == std::string::npos)
    log_error(trouble);
  trouble_ = trouble;
  if (restored && *restored) log_warning("the standing firewall was not as confirmed; it is put back");
  const bool other = files != files_ || (restored && *restored);
  files_ = files_now();
  take_stock();
  return other;
}

void FirewallGuard::take_stock() {
  const auto standing = keeper_.standing();
  if (!standing) return;
  on_trial_ = standing->trial.has_value();
  open_.reset();
  nflog_group_ = 0;
  std::vector<std::string> hosts;
  for (const StoredPolicy* policy :
       {standing->confirmed ? &*standing->confirmed : nullptr, standing->trial ? &standing->trial->policy : nullptr}) {
    if (policy == nullptr) continue;
    open_ = open_ ? both(*open_, policy->open) : policy->open;
    if (policy->nflog_group > 0) nflog_group_ = policy->nflog_group;
    hosts.insert(hosts.end(), policy->hosts.begin(), policy->hosts.end());
  }
  std::ranges::sort(hosts);
  hosts.erase(std::ranges::unique(hosts).begin(), hosts.end());
  names_.watch(std::move(hosts));
}

void FirewallGuard::use_new_addresses() {
  for (const auto& [host, addresses] : names_.take()) {
    const auto done = keeper_.set_host(host, addresses);
    if (!done) log_warning(fmt::format("follow the addresses of {}: {}", host, done.error().text));
  }
}

}  // namespace palang
