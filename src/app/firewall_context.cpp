#include "app/firewall_context.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>

#include "base/log.hpp"
#include "firewall/list_file.hpp"
#include "firewall/nft_library.hpp"
#include "firewall/nft_script.hpp"

namespace palang {
namespace {

constexpr size_t most_raw_bytes = size_t{1} << 20;
constexpr size_t room_for_account = size_t{64} << 10;

Failure at_line(const std::string& config_path, const Written& written, std::string_view key, const Error& error) {
  return Failure(Error::bad_config(fmt::format("{}:{}: {}: {}", config_path, written.line, key, error.text)));
}

std::optional<uint32_t> number_of(const std::string& text) {
  uint32_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<uint32_t> user_id(const std::string& name) {
  if (const auto number = number_of(name)) return number;
  std::vector<char> buffer(room_for_account);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_uid;
}

std::optional<uint32_t> group_id(const std::string& name) {
  if (const auto number = number_of(name)) return number;
  std::vector<char> buffer(room_for_account);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return found->gr_gid;
}

void look_up_accounts(const FirewallSettings& settings, Surroundings& known) {
  const auto user = [&](const std::string& name) {
    if (const auto id = name.empty() ? std::nullopt : user_id(name)) known.users[name] = *id;
  };
  const auto group = [&](const std::string& name) {
    if (const auto id = name.empty() ? std::nullopt : group_id(name)) known.groups[name] = *id;
  };
  for (const FirewallRule& rule : settings.rules) {
    user(rule.user);
    group(rule.group);
  }
  std::ranges::for_each(settings.smtp.users, user);
  std::ranges::for_each(settings.smtp.groups, group);
}

// Rules of a file that anyone may write would be anyone's rules.
Result<std::string> read_raw(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail_os("open", path, errno);
  if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(fmt::format("{} must belong to root, and nobody else may write it", path));
  auto text = read_small_file(path, most_raw_bytes);
  if (!text) return text;
  const std::string table = fmt::format("table inet {}_check {{\nchain fw_raw {{\n{}\n}}\n}}\n", firewall_table, *text);
  if (std::ranges::count(*text, '{') != std::ranges::count(*text, '}'))
    return fail(fmt::format("{} has braces that don't match", path));
  NftLibrary nft;
  if (const auto fine = nft.check(table); !fine) return fail(fmt::format("{}: {}", path, fine.error().text));
  return text;
}

}  // namespace

std::string firewall_directory(const Config& config) {
  const std::string directory = std::filesystem::path(config.ledger.path).parent_path();
  return directory.empty() ? "/" : directory;
}

std::string list_directory(const Config& config) {
  return firewall_directory(config) + "/lists";
}

std::vector<Address> resolve_host(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &first) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(first, ::freeaddrinfo);
  std::vector<Address> addresses;
  constexpr size_t most_addresses = 64;
  for (const addrinfo* one = all.get(); one != nullptr && addresses.size() < most_addresses; one = one->ai_next) {
    Address address;
    if (one->ai_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, one->ai_addr, sizeof in);
      address = Address::v4(ntohl(in.sin_addr.s_addr));
    } else if (one->ai_family == AF_INET6) {
      sockaddr_in6 in6{};
      std::memcpy(&in6, one->ai_addr, sizeof in6);
      std::array<uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &in6.sin6_addr, bytes.size());
      address = Address::from_bytes(bytes);
    } else {
      continue;
    }
    if (address.is_unicast()) addresses.push_back(address);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  return addresses;
}

std::vector<Prefix> never_judged(const Config& config) {
  std::vector<Prefix> prefixes;
  if (!config.firewall) return prefixes;
  for (const FirewallList& list : config.firewall->lists) {
    if (list.action != FirewallList::Action::allow && list.action != FirewallList::Action::ignore) continue;
    const auto content = read_list(list, list_directory(config));
    if (!content)
      log_error(fmt::format("list {}: {}", list.name, content.error().text));
    else
      std::ranges::copy_if(content->prefixes, std::back_inserter(prefixes),
                           [](const Prefix& prefix) { return prefix.length() > 0; });
  }
  return prefixes;
}

std::vector<std::string> hosts_of(const FirewallSettings& settings) {
  std::vector<std::string> hosts;
  for (const FirewallRule& rule : settings.rules)
    for (const FirewallPeer& peer : rule.peers)
      if (peer.kind == FirewallPeer::Kind::host) hosts.push_back(peer.name);
  std::ranges::sort(hosts);
  hosts.erase(std::ranges::unique(hosts).begin(), hosts.end());
  return hosts;
}

Result<Surroundings> look_up_surroundings(const Config& config, const std::string& config_path, WallTime now) {
  const FirewallSettings& settings = *config.firewall;
  Surroundings known;
  known.now = now;
  for (const FirewallList& list : settings.lists) {
    auto content = read_list(list, list_directory(config));
    if (!content)
      return at_line(config_path, list.written, list.file.empty() ? "firewall.list.url" : "firewall.list.file",
                     content.error());
    for (const std::string& host : content->hosts)
      for (const Address& address : resolve_host(host)) content->prefixes.push_back(Prefix::of(address));
    known.lists[list.name] = std::move(content->prefixes);
  }
  for (const std::string& host : hosts_of(settings))
    if (auto addresses = resolve_host(host); !addresses.empty()) known.hosts[host] = std::move(addresses);
  for (const auto* paths : {&settings.raw_before, &settings.raw_after})
    for (const std::string& path : *paths) {
      auto text = read_raw(path);
      if (!text)
        return at_line(config_path, settings.written,
                       paths == &settings.raw_before ? "firewall.raw_before" : "firewall.raw_after", text.error());
      known.raw[path] = std::move(*text);
    }
  look_up_accounts(settings, known);
  return known;
}

}  // namespace palang
