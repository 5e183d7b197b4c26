#include "host/resolvers.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace palang {
namespace {

constexpr size_t largest_file = size_t{1} << 16;

std::vector<Address> name_servers(const HostRoot& root, std::string_view file) {
  const auto text = root.read(file, largest_file);
  return text ? parse_resolv_conf(*text) : std::vector<Address>{};
}

}  // namespace

std::vector<Address> parse_resolv_conf(std::string_view text) {
  static constexpr std::string_view keyword = "nameserver";
  std::vector<Address> servers;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    if (line.empty() || (line[0] != ' ' && line[0] != '\t')) continue;
    line = trim(line);
    const auto address = Address::parse(line.substr(0, line.find_first_of("% \t#;")));
    if (address) servers.push_back(*address);
  }
  return servers;
}

std::vector<Address> resolvers(const HostRoot& root) {
  std::vector<Address> servers = name_servers(root, "/etc/resolv.conf");
  if (std::ranges::any_of(servers, &Address::is_loopback)) {
    const auto behind = name_servers(root, "/run/systemd/resolve/resolv.conf");
    servers.insert(servers.end(), behind.begin(), behind.end());
  }
  std::erase_if(servers, [](const Address& server) { return server.is_loopback(); });
  std::ranges::sort(servers);
  servers.erase(std::ranges::unique(servers).begin(), servers.end());
  return servers;
}

}  // namespace palang
