// What iptables-save, ipset, ufw and firewalld write, whatever stands in it. The first byte chooses whose it is. What
// comes out must be valid TOML.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "firewall/firewalld.hpp"
#include "firewall/imported_toml.hpp"
#include "firewall/ipset_save.hpp"
#include "firewall/iptables_save.hpp"
#include "firewall/ufw.hpp"
#include "model/toml_tree.hpp"

namespace {

using namespace palang;
using namespace palang::foreign;

void require(bool promise) {
  if (!promise) std::abort();
}

Result<Import> import_one(unsigned which, const std::string& text) {
  const csf::ReadFile read = [&](const std::string&) -> Result<std::string> { return text; };
  switch (which % 4) {
    case 0: return import_iptables("/x", read);
    case 1: return import_ipset("/x", read);
    case 2: return import_ufw("/etc/ufw", read);
    default: return import_firewalld("/x/zones/public.xml", read);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto import = import_one(data[0], std::string(reinterpret_cast<const char*>(data + 1), size - 1));
  if (!import) {
    require(!import.error().text.empty());
    return 0;
  }
  for (const ReportLine& line : import->report.lines())
    for (const char c : report_text(line)) require(c >= 0x20 && c < 0x7f);
  require(parse_toml(policy_toml(import->policy, "/etc/palang/lists"), "palang.toml").has_value());
  for (const ImportedList& list : import->policy.lists)
    for (const ListEntry& entry : list.entries) require(entry.text.find_first_of(" \t\n\r#") == std::string::npos);
  return 0;
}
