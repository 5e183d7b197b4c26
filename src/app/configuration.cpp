#include "app/daemon.hpp"

namespace palang {

Result<Config> configuration_for(const DaemonOptions& options) {
  auto config = load_config(options.config_path);
  if (!config) return config;
  if (options.socket) config->api.socket = *options.socket;
  if (options.ledger) config->ledger.path = *options.ledger;
  if (options.dry_run) config->enforce.backend = EnforceSettings::Backend::dry_run;
  return config;
}

}  // namespace palang
