// palang.toml, whatever stands in it: an error in words, or a configuration that keeps its promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/config.hpp"

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

void check(const palang::Config& config) {
  using palang::Duration;
  const palang::BanSettings& ban = config.policy.ban;
  require(ban.first > Duration{0} && ban.first <= ban.at_most);
  require(ban.quiet >= Duration{0} && ban.quiet <= ban.at_most);
  require(ban.remember >= Duration{0} && ban.remember <= config.ledger.keep);
  require(ban.widen.to_v4 >= 8 && ban.widen.to_v4 < 32 && ban.widen.to_v6 >= 16 && ban.widen.to_v6 < 128);
  require(ban.budget > 0 && config.policy.detect.tracked_sources > 0);
  require(config.policy.detect.blocked.after > 0 && config.policy.detect.blocked.within > Duration{0});
  require(config.policy.detect.portscan.ports > 1 && config.policy.detect.portscan.within > Duration{0});
  require(config.policy.allow.size() == config.allow.size());
  for (const palang::AllowSettings& allowed : config.allow) require(allowed.prefix.length() > 0);
  require(!config.open.declared.tcp.contains(0) && !config.open.declared.udp.contains(0));
  for (const palang::SourceSettings& source : config.sources)
    require((source.type == palang::SourceSettings::Type::file) == source.path.starts_with('/'));
  require(config.ledger.path.starts_with('/') && config.api.socket.starts_with('/') && !config.api.group.empty());
  require(config.profile == "default" || config.profile == "classic" || config.profile == "custom");
  require(!palang::describe(config).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = palang::parse_config(text, "fuzz.toml");
  if (config)
    check(*config);
  else
    require(config.error().kind == palang::ErrorKind::bad_config && config.error().text.starts_with("fuzz.toml"));
  return 0;
}
