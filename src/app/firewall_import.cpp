#include "app/firewall_import.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "app/write_file.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/words.hpp"
#include "config/config.hpp"
#include "firewall/csf_import.hpp"
#include "firewall/firewalld.hpp"
#include "firewall/imported_toml.hpp"
#include "firewall/ipset_save.hpp"
#include "firewall/iptables_save.hpp"
#include "firewall/open_ports.hpp"
#include "firewall/ufw.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;
using foreign::Fate;

// What the ports of the old firewall are compared with.
struct PortCheck {
  bool done = false;
  std::vector<std::string> closed;  // open before, closed now
  std::vector<std::string> opened;  // the other way round
};

struct Imported {
  foreign::Import import;
  std::string toml;
  PortCheck check;
};

std::string state_directory(const FirewallImportOptions& options) {
  if (!options.state.empty()) return options.state;
  const std::string_view path = options.path;
  if (path.ends_with("/etc/csf")) return std::string(path.substr(0, path.size() - 8)) + "/var/lib/csf";
  return options.path;
}

PortCheck compared(const foreign::OpenPorts& before, const FirewallSettings& settings) {
  const foreign::OpenPorts now = foreign::open_ports(settings);
  return {true, foreign::only_in(before, now), foreign::only_in(now, before)};
}

PortCheck check_csf_ports(const FirewallImportOptions& options, const foreign::csf::ReadFile& read,
                          const FirewallSettings& settings) {
  foreign::ImportReport unheard;
  const auto conf = read(options.path + "/csf.conf");
  if (!conf) return {};
  const auto allow = foreign::csf::read_lines(options.path + "/csf.allow", read, unheard);
  const auto deny = foreign::csf::read_lines(options.path + "/csf.deny", read, unheard);
  return compared(foreign::csf_open_ports(*conf, allow, deny), settings);
}

Result<foreign::Import> import_from(const FirewallImportOptions& options, const foreign::csf::ReadFile& read) {
  if (options.from == "iptables-save") return foreign::import_iptables(options.path, read);
  if (options.from == "ipset") return foreign::import_ipset(options.path, read);
  if (options.from == "ufw") return foreign::import_ufw(options.path, read);
  if (options.from == "firewalld") return foreign::import_firewalld(options.path, read);
  return foreign::csf::import_all({options.path, state_directory(options)}, SystemClock{}.now(), read);
}

Result<Imported> read_all(const FirewallImportOptions& options) {
  const std::string lists = (options.write_to.empty() ? "/etc/palang" : options.write_to) + "/lists";
  std::optional<Result<std::string>> standard_input;  // can be read only once
  const foreign::csf::ReadFile read = [&](const std::string& path) -> Result<std::string> {
    if (path != "-") return read_whole_file(path);
    if (!standard_input) standard_input = read_whole_file(path);
    return *standard_input;
  };
  auto import = import_from(options, read);
  if (!import) return Failure(import.error());
  Imported result{std::move(*import), "", {}};
  result.toml = foreign::policy_toml(result.import.policy, lists);
  const auto config = parse_config(result.toml, "palang.toml");
  if (!config) return fail("make a palang.toml of it: " + config.error().text);
  if (!config->firewall) return result;
  foreign::ImportReport unheard;
  if (options.from == "csf") result.check = check_csf_ports(options, read, *config->firewall);
  if (options.from == "iptables-save")
    result.check = compared(foreign::iptables_open_ports(foreign::read_iptables_tables(options.path, read, unheard)),
                            *config->firewall);
  return result;
}

// Many options share one reason: they stand in one line, each with its place.
void print_left_out(const foreign::ImportReport& report, const Console& console) {
  std::map<std::pair<std::string, std::string>, std::string> together;  // file and sentence → "NAME (12), NAME (13)"
  std::vector<const foreign::ReportLine*> first;
  for (const foreign::ReportLine& line : report.lines()) {
    if (line.fate != Fate::left_out) continue;
    std::string& names = together[{line.place.file, line.sentence}];
    if (names.empty()) first.push_back(&line);
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", escape_controls(line.what), line.place.line);
  }
  for (const foreign::ReportLine* line : first) {
    const std::string text = fmt::format("{}: {}: {}", escape_controls(line->place.file),
                                         escape_controls(line->sentence), together[{line->place.file, line->sentence}]);
    console.out << "  " << wrapped(text, console.width, 4) << "\n";
  }
}

void print_fate(const foreign::ImportReport& report, Fate fate, std::string_view title, const Console& console) {
  if (report.count(fate) == 0) return;
  console.out << "\n" << Style(console.colour).bold(title) << "\n";
  if (fate == Fate::left_out) return print_left_out(report, console);
  for (const foreign::ReportLine& line : report.lines())
    if (line.fate == fate) console.out << "  " << wrapped(foreign::report_text(line), console.width, 4) << "\n";
}

void print_check(const PortCheck& check, const Console& console) {
  if (!check.done) return;
  const Style style(console.colour);
  console.out << "\n" << style.bold("Open ports") << "\n";
  for (const std::string& range : check.closed) console.out << "  open before, closed now: " << range << "\n";
  for (const std::string& range : check.opened) console.out << "  closed before, open now: " << range << "\n";
  if (check.closed.empty() && check.opened.empty())
    console.out
        << "  All 65,536 ports compared, TCP and UDP, IPv4 and IPv6: every port that was open to all is open, and no "
           "other.\n";
}

void print_import(const FirewallImportOptions& options, const Imported& imported, const Console& console) {
  const foreign::ImportReport& report = imported.import.report;
  console.out << fmt::format("What becomes of {}\n", printable(options.path));
  print_fate(report, Fate::taken_over, "Taken over", console);
  print_fate(report, Fate::approximated, "Approximated", console);
  print_fate(report, Fate::left_out, "Not taken over", console);
  print_fate(report, Fate::fault, "Faults", console);
  if (report.dropped_faults() > 0) console.out << fmt::format("  and {} more\n", grouped(report.dropped_faults()));
  print_check(imported.check, console);
  console.out << fmt::format("\n{} taken over, {} approximated, {} not taken over, {}.\n",
                             grouped(report.count(Fate::taken_over)), grouped(report.count(Fate::approximated)),
                             grouped(report.count(Fate::left_out)),
                             counted(report.count(Fate::fault) + report.dropped_faults(), "fault"));
}

Json import_json(const FirewallImportOptions& options, const Imported& imported) {
  Json lines = Json::array();
  for (const foreign::ReportLine& line : imported.import.report.lines())
    lines.push_back({{"fate", foreign::fate_name(line.fate)},
                     {"file", line.place.file},
                     {"line", line.place.line},
                     {"what", line.what},
                     {"sentence", line.sentence}});
  return {{"from", options.from},
          {"path", options.path},
          {"report", std::move(lines)},
          {"open_ports",
           {{"compared", imported.check.done}, {"closed", imported.check.closed}, {"opened", imported.check.opened}}},
          {"toml", imported.toml}};
}

Result<void> write_import(const FirewallImportOptions& options, const Imported& imported) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path toml = fs::path(options.write_to) / "palang.toml";
  if (!options.replace && fs::exists(toml, error))
    return fail(fmt::format("write {}: it is there already; --replace overwrites it", toml.string()));
  fs::create_directories(fs::path(options.write_to) / "lists", error);
  if (error) return fail_os("make", options.write_to + "/lists", error.value());
  for (const foreign::ImportedList& list : imported.import.policy.lists) {
    if (!list.url.empty()) continue;
    const std::string path = fmt::format("{}/lists/{}", options.write_to, foreign::list_file_name(list));
    if (const auto done = write_file(path, foreign::list_text(list)); !done) return done;
  }
  return write_file(toml.string(), imported.toml);
}

}  // namespace

Result<void> import_firewall(const FirewallImportOptions& given, const Console& console) {
  FirewallImportOptions options = given;
  std::error_code error;
  while (options.path.size() > 1 && options.path.ends_with('/')) options.path.pop_back();
  if (!options.write_to.empty())
    options.write_to = std::filesystem::absolute(options.write_to, error).lexically_normal().string();
  while (options.write_to.size() > 1 && options.write_to.ends_with('/')) options.write_to.pop_back();
  const auto imported = read_all(options);
  if (!imported) return Failure(imported.error());
  if (options.json)
    console.out << import_json(options, *imported).dump(-1, ' ', true, Json::error_handler_t::replace) << "\n";
  else
    print_import(options, *imported, console);
  if (options.write_to.empty()) {
    if (!options.json) console.out << "Nothing was written: --write DIR does it.\n";
    return {};
  }
  if (const auto done = write_import(options, *imported); !done) return done;
  if (!options.json)
    console.out << fmt::format("Written: {}/palang.toml and its lists. Next: 'palang check {}/palang.toml'.\n",
                               printable(options.write_to), printable(options.write_to));
  return {};
}

}  // namespace palang
