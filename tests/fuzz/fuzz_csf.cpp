// Everything that CSF reads, whatever stands in it. The first byte chooses the file; the others are there, too, and
// small. What comes out must be valid by construction: no text may break out of its string in palang.toml or its line
// in a list.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "firewall/csf_filter.hpp"
#include "firewall/csf_import.hpp"
#include "firewall/imported_toml.hpp"
#include "firewall/open_ports.hpp"
#include "model/toml_tree.hpp"

namespace {

using namespace palang;
using namespace palang::foreign;

void require(bool promise) {
  if (!promise) std::abort();
}

constexpr std::string_view files[] = {"/etc/csf/csf.conf",         "/etc/csf/csf.allow",    "/etc/csf/csf.deny",
                                      "/etc/csf/csf.ignore",       "/etc/csf/csf.rignore",  "/etc/csf/csf.dyndns",
                                      "/etc/csf/csf.blocklists",   "/etc/csf/csf.redirect", "/var/lib/csf/csf.tempban",
                                      "/var/lib/csf/csf.tempallow"};

void check(const Import& import) {
  for (const ReportLine& line : import.report.lines()) {
    require(!line.sentence.empty() && !line.place.file.empty());
    for (const char c : report_text(line)) require(c >= 0x20 && c < 0x7f);
  }
  const std::string toml = policy_toml(import.policy, "/etc/palang/lists");
  const auto tree = parse_toml(toml, "palang.toml");
  require(tree.has_value());
  for (const ImportedList& list : import.policy.lists)
    for (const ListEntry& entry : list.entries) require(entry.text.find_first_of(" \t\n\r#") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view chosen = files[data[0] % std::size(files)];
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto read = [&](const std::string& path) -> Result<std::string> {
    if (path == chosen) return text;
    if (path == files[0]) return "TCP_IN = \"22\"\nIPV6 = \"1\"\nDYNDNS = \"600\"\n";
    return Failure(Error::not_found("read " + path));
  };
  const auto import = csf::import_all({}, WallTime{}, read);
  if (!import) {
    require(!import.error().text.empty());
    return 0;
  }
  check(*import);
  if (chosen == files[0]) (void)csf_open_ports(text, {}, {});
  return 0;
}
