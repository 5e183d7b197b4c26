#pragma once

#include <string>

#include "base/error.hpp"
#include "cli/console.hpp"

namespace palang {

struct FirewallImportOptions {
  std::string from;   // "csf", "iptables-save", "ipset", "ufw", "firewalld"
  std::string path;   // its file or directory
  std::string state;  // CSF's /var/lib/csf; "": beside a directory that ends with /etc/csf, else the directory itself
  std::string write_to;  // a directory for palang.toml and lists/; "": nothing is written
  bool replace = false;  // files that are there already
  bool json = false;
};

// `palang import csf` and its kin: what becomes of another firewall's configuration, with a check of the open ports.
// Writes only where it is told to.
[[nodiscard]] Result<void> import_firewall(const FirewallImportOptions& options, const Console& console);

}  // namespace palang
