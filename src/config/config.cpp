#include "config/config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"
#include "config/reader.hpp"

namespace palang {
namespace {

constexpr size_t largest_file = size_t{1} << 20;

Failure bad_config(Error error) {
  error.kind = ErrorKind::bad_config;
  return Failure(std::move(error));
}

Result<std::string> read_config_file(const std::string& path) {
  // Non-blocking: a FIFO in the place of the file must not hang the start.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_os("open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_os("read", path, errno);
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("read {}: not a regular file", path));
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() <= largest_file) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_os("read", path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return fail(fmt::format("read {}: larger than {} bytes, this is no configuration", path, largest_file));
}

std::string describe_ban(const Config& config) {
  const BanSettings& ban = config.policy.ban;
  std::string text = fmt::format("profile {}: banned for {}", config.profile, format_duration(ban.first));
  if (ban.remember > Duration{0} && ban.at_most > ban.first)
    text += fmt::format(", doubling to {} within {}", format_duration(ban.at_most), format_duration(ban.remember));
  if (ban.quiet > Duration{0}) text += fmt::format(", until quiet for {}", format_duration(ban.quiet));
  const WidenSettings& widen = ban.widen;
  if (widen.after == 0)
    text += "; never wider than the address";
  else if (widen.after == 1)
    text += fmt::format("; the whole /{} (IPv6: /{}) at first sight", widen.to_v4, widen.to_v6);
  else
    text += fmt::format("; the /{} (IPv6: /{}) at {} offenders within {}", widen.to_v4, widen.to_v6, widen.after,
                        format_duration(widen.within));
  return text;
}

std::string describe_detect(const DetectSettings& detect) {
  std::string text = "offenders: ";
  if (!detect.blocked.enabled && !detect.portscan.enabled) return text + "none, all detection is off";
  if (detect.blocked.enabled)
    text += detect.blocked.after == 1 ? "one refused packet"
                                      : fmt::format("{} refused packets within {}", detect.blocked.after,
                                                    format_duration(detect.blocked.within));
  if (detect.blocked.enabled && detect.portscan.enabled) text += ", or ";
  if (detect.portscan.enabled)
    text += fmt::format("{} ports within {}", detect.portscan.ports, format_duration(detect.portscan.within));
  return text;
}

std::string describe_open(const PublicSettings& open) {
  const auto tcp = open.declared.tcp.list();
  const auto udp = open.declared.udp.list();
  std::string text = open.detect ? "open to the public: ports where services listen" : "open to the public: only";
  if (!tcp.empty()) text += fmt::format("{} tcp {}", open.detect ? "," : "", fmt::join(tcp, " "));
  if (!udp.empty()) text += fmt::format("{} udp {}", open.detect || !tcp.empty() ? "," : "", fmt::join(udp, " "));
  if (!open.detect && tcp.empty() && udp.empty()) text = "open to the public: no port";
  return text;
}

std::string describe_sources(const std::vector<SourceSettings>& sources) {
  if (sources.empty()) return "sources: what this host has";
  std::vector<std::string> names;
  for (const SourceSettings& source : sources) {
    switch (source.type) {
      case SourceSettings::Type::file: names.push_back(source.path); break;
      case SourceSettings::Type::journald: names.emplace_back("the journal"); break;
      case SourceSettings::Type::kmsg: names.emplace_back("the kernel log"); break;
      case SourceSettings::Type::nflog: names.push_back(fmt::format("NFLOG group {}", source.group)); break;
    }
  }
  return fmt::format("sources: {}", fmt::join(names, ", "));
}

std::string describe_enforce(const EnforceSettings& enforce) {
  const std::string where = enforce.interfaces.empty() ? "the interfaces of the default routes"
                                                       : fmt::format("{}", fmt::join(enforce.interfaces, ", "));
  const std::string_view too = enforce.nftables_too ? ", and nftables" : "";
  switch (enforce.backend) {
    case EnforceSettings::Backend::automatic:
      return fmt::format("XDP on {} where that does no harm{}, else nftables", where, too);
    case EnforceSettings::Backend::xdp: return fmt::format("XDP on {}{}, else nftables", where, too);
    case EnforceSettings::Backend::nftables: return "nftables";
    case EnforceSettings::Backend::ipset: return "ipset and iptables";
    case EnforceSettings::Backend::dry_run: return "nobody (dry run)";
  }
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view file_name) {
  return read_config(text, file_name);
}

Result<Config> load_config(const std::optional<std::string>& named, std::string_view default_path) {
  const std::string path = named ? *named : std::string(default_path);
  const auto text = read_config_file(path);
  if (!text) {
    if (!named && text.error().os == ENOENT) return Config{};
    return bad_config(text.error());
  }
  return parse_config(*text, path);
}

std::vector<std::string> changes_that_take_a_restart(const Config& was, const Config& is) {
  std::vector<std::string> changes;
  const auto note_if = [&](bool changed, const char* what) {
    if (changed) changes.emplace_back(what);
  };
  note_if(is.sources != was.sources, "[[source]]");
  note_if(!(is.enforce == was.enforce), "[enforce]");
  note_if(!(is.ledger == was.ledger), "[ledger]");
  note_if(!(is.api == was.api), "[api]");
  note_if(is.policy.detect.tracked_sources != was.policy.detect.tracked_sources, "detect.tracked_sources");
  note_if(!(is.policy.detect.connections == was.policy.detect.connections), "[detect.connections]");
  return changes;
}

std::string describe(const Config& config) {
  const bool full = config.policy.ban.always_full;
  const size_t allowed = config.allow.size();
  return fmt::format(
      "{}\nscope: {}\n{}\n{}\n{}\nallowed: {} besides those protected by themselves\nenforced by {}\nledger: {}\n"
      "socket: {} (group {})\n",
      describe_ban(config),
      full ? "every port at once" : "forgeable evidence closes no port that is open to the public",
      describe_detect(config.policy.detect), describe_open(config.open), describe_sources(config.sources),
      allowed == 0 ? "nobody" : fmt::format("{} {}", allowed, allowed == 1 ? "prefix" : "prefixes"),
      describe_enforce(config.enforce), config.ledger.path, config.api.socket, config.api.group);
}

}  // namespace palang
