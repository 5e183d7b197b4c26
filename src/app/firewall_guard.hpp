#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "firewall/firewall_keeper.hpp"
#include "net/ports.hpp"

namespace palang {

// Looks hosts up again when their time to live is over, on a thread of its own: a name server may take seconds.
class HostNames {
 public:
  using Found = std::map<std::string, std::vector<Address>>;

  HostNames();
  ~HostNames();
  HostNames(const HostNames&) = delete;
  HostNames& operator=(const HostNames&) = delete;

  // Readable (epoll) when take() has something new.
  [[nodiscard]] int fd() const { return event_.get(); }
  [[nodiscard]] Found take();  // of those that resolved
  void watch(std::vector<std::string> hosts);

 private:
  void run();

  Fd event_;
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::vector<std::string> hosts_;
  bool renewed_ = false;  // hosts_ is another
  Found found_;
  bool closing_ = false;
  std::thread thread_;
};

// The daemon's part in the standing firewall: what is confirmed stays in force, whoever flushes it, and the addresses
// of hosts are followed. It never puts a policy in force that nobody confirmed.
class FirewallGuard {
 public:
  explicit FirewallGuard(std::string directory) : keeper_(std::move(directory)) {}

  // Looks whether the kernel holds what it should, and mends that. `changed`: somebody touched the table.
  // True: what is in force may be another than before.
  bool look(bool changed);
  // What the policies in force, confirmed or on trial, open to everyone; none without one.
  [[nodiscard]] const std::optional<PublicPorts>& open() const { return open_; }
  [[nodiscard]] uint32_t nflog_group() const { return nflog_group_; }

  [[nodiscard]] int fd() const { return names_.fd(); }
  void use_new_addresses();

 private:
  [[nodiscard]] std::string files_now() const;
  void take_stock();

  FirewallKeeper keeper_;
  HostNames names_;
  std::string files_ = "?";  // as of the last look
  bool pending_ = false;     // the lock was taken by another
  bool on_trial_ = false;
  std::string trouble_;
  std::optional<PublicPorts> open_;
  uint32_t nflog_group_ = 0;
};

}  // namespace palang
