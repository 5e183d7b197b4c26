#include "app/host_watch.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>

#include "host/established.hpp"
#include "host/own_addresses.hpp"

namespace palang {
namespace {

constexpr auto interval = std::chrono::seconds{2};

bool exempts(const std::vector<Exempt>& all, const Address& address) {
  return std::ranges::any_of(all, [&](const Exempt& one) { return one.prefix.contains(address); });
}

}  // namespace

HostFacts look_at_host(const PortSet& ask_about) {
  const HostRoot root;
  HostFacts facts;
  ExemptReport report = gather_exempt(root);
  facts.exempt = std::move(report.exempt);
  facts.troubles = std::move(report.troubles);
  if (auto own = own_addresses()) {
    facts.own_addresses = std::move(*own);
  } else {
    facts.troubles.push_back(own.error().text);
  }
  if (auto listening = find_listening(root)) {
    facts.listening = std::move(*listening);
  } else {
    facts.troubles.push_back(listening.error().text);
  }
  if (ask_about == PortSet{}) return facts;
  const auto is_exempt = [&](const Address& address) { return exempts(facts.exempt, address); };
  if (auto used = ports_in_use_by_strangers(root, ask_about, is_exempt)) {
    facts.used_by_strangers = *used;
  } else {
    facts.troubles.push_back(used.error().text);
  }
  return facts;
}

HostWatch::HostWatch(std::vector<std::string> names)
    : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {
  follow_names(std::move(names));
}

HostWatch::~HostWatch() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

HostFacts HostWatch::take() {
  eventfd_t ignored = 0;
  (void)::eventfd_read(event_.get(), &ignored);  // fails only if there is nothing new, which is fine
  const std::lock_guard lock(mutex_);
  return facts_;
}

void HostWatch::ask_about(const PortSet& tcp_ports) {
  const std::lock_guard lock(mutex_);
  asked_ = tcp_ports;
}

void HostWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval, [this] { return closing_; })) {
    const PortSet asked = asked_;
    lock.unlock();
    HostFacts facts = look_at_host(asked);
    for (const auto& [name, addresses] : names_.take())
      for (const Address& address : addresses) facts.exempt.push_back({Prefix::of(address), name});
    facts.exempt = merge_exempt(facts.exempt);
    lock.lock();
    facts_ = std::move(facts);
    (void)::eventfd_write(event_.get(), 1);  // the counter can't overflow: take() resets it
  }
}

}  // namespace palang
