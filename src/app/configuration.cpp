#include "app/daemon.hpp"
#include "app/list_commands.hpp"

namespace palang {

Result<Config> configuration_for(const DaemonOptions& options) {
  auto config = load_config(options.config_path);
  if (!config) return config;
  if (options.socket) config->api.socket = *options.socket;
  if (options.ledger) config->ledger.path = *options.ledger;
  if (options.dry_run) config->enforce.backend = EnforceSettings::Backend::dry_run;
  if (const auto done = exempt_lists(*config, options.config_path.value_or(std::string(default_config_path))); !done)
    return Failure(done.error());
  return config;
}

}  // namespace palang
