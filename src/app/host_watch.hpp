#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/firewall_guard.hpp"
#include "base/fd.hpp"
#include "host/exempt.hpp"
#include "host/listening.hpp"
#include "host/root.hpp"

namespace palang {

// What the host is like at the moment, as far as decisions depend on it.
struct HostFacts {
  std::vector<Exempt> exempt;  // live ssh peers, own addresses, gateways, resolvers, loopback
  std::vector<Address> own_addresses;
  Listening listening;
  PortSet used_by_strangers;          // of the ports asked about
  std::vector<std::string> troubles;  // what could not be found out
};

// One look at the host. `ask_about`: TCP ports of which to tell whether strangers are connected to them.
[[nodiscard]] HostFacts look_at_host(const PortSet& ask_about);

// Looks at the host every two seconds on a thread of its own, since walking through /proc takes milliseconds that the
// loop should not wait for.
class HostWatch {
 public:
  // `names`: of hosts whose addresses are exempt, as name servers tell them.
  explicit HostWatch(std::vector<std::string> names);
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  // Readable (epoll) when take() has something new.
  [[nodiscard]] int fd() const { return event_.get(); }
  [[nodiscard]] HostFacts take();
  void ask_about(const PortSet& tcp_ports);
  void follow_names(std::vector<std::string> names) { names_.watch(std::move(names)); }

 private:
  void run();

  Fd event_;
  HostNames names_;   // has a thread of its own
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  HostFacts facts_;
  PortSet asked_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace palang
