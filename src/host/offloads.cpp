#include "host/offloads.hpp"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace palang {
namespace {

// Requests of ethtool are structs with an array behind; here in 32-bit words, which aligns them.
class Ethtool {
 public:
  explicit Ethtool(const std::string& interface) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    interface.copy(request_.ifr_name, IFNAMSIZ - 1);
  }
  [[nodiscard]] bool ask(std::vector<uint32_t>& words) {
    request_.ifr_data = reinterpret_cast<char*>(words.data());
    return socket_ && ::ioctl(socket_.get(), SIOCETHTOOL, &request_) == 0;
  }

 private:
  Fd socket_;
  ifreq request_{};
};

// Names of all features, in the order of their numbers.
std::vector<std::string> feature_names(Ethtool& ethtool) {
  std::vector<uint32_t> count{ETHTOOL_GSSET_INFO, 0, 1U << ETH_SS_FEATURES, 0, 0};
  if (!ethtool.ask(count)) return {};
  const uint32_t features = count[4];
  std::vector<uint32_t> names(3 + size_t{features} * ETH_GSTRING_LEN / sizeof(uint32_t));
  names[0] = ETHTOOL_GSTRINGS;
  names[1] = ETH_SS_FEATURES;
  names[2] = features;
  if (!ethtool.ask(names)) return {};
  std::vector<std::string> all;
  for (size_t i = 0; i < features; ++i) {
    std::array<char, ETH_GSTRING_LEN> name{};
    std::memcpy(name.data(), reinterpret_cast<const char*>(&names[3]) + i * name.size(), name.size());
    const std::string_view text(name.data(), name.size());
    all.emplace_back(text.substr(0, text.find('\0')));
  }
  return all;
}

}  // namespace

bool device_merges_packets(const std::string& interface) {
  constexpr std::array<std::string_view, 2> merging{"rx-lro", "rx-gro-hw"};
  Ethtool ethtool(interface);
  const auto names = feature_names(ethtool);
  const size_t blocks = (names.size() + 31) / 32;
  std::vector<uint32_t> features(2 + blocks * 4);  // each block: available, requested, active, never changed
  features[0] = ETHTOOL_GFEATURES;
  features[1] = static_cast<uint32_t>(blocks);
  if (names.empty() || !ethtool.ask(features)) return false;
  for (size_t i = 0; i < names.size(); ++i) {
    const bool active = (features[2 + i / 32 * 4 + 2] >> (i % 32) & 1) != 0;
    if (active && std::ranges::find(merging, names[i]) != merging.end()) return true;
  }
  return false;
}

}  // namespace palang
