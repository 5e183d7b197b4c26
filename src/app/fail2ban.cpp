#include "app/fail2ban.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "app/rule_words.hpp"
#include "app/write_file.hpp"
#include "base/text.hpp"
#include "cli/json.hpp"
#include "cli/words.hpp"
#include "config/config.hpp"
#include "engine/jail_set.hpp"
#include "rules/f2b_report.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

// What jails become under this policy.
Result<BanSettings> policy_of(const Fail2banOptions& options) {
  const auto config = load_config(options.config_path);
  if (!config) return Failure(config.error());
  return config->policy.ban;
}

f2b::JailReport whole_report(const f2b::Jail& jail, const BanSettings& ban) {
  f2b::JailReport report = f2b::report_on(jail);
  if (!report.carried_over) return report;
  const RuleSettings settings = settings_of(jail, ban);
  report.becomes.push_back(
      fmt::format("the rule {}: {}, ban {}", settings.name, threshold_text(settings), ban_text(settings.ban)));
  if (counts_bans(jail))
    report.differs.emplace_back(
        "it counts palang's own bans instead of the lines of fail2ban's log, which is written no more");
  if (settings.proof == Proof::forgeable)
    report.differs.emplace_back(
        "protocol = udp: anyone can forge the sender, so its bans close no port that is open to the public");
  return report;
}

void print_section(const Console& console, std::string_view title, const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences)
    console.out << fmt::format("    {:<9}{}\n", title, wrapped(printable(sentence), console.width, 13));
}

void print_report(const f2b::JailReport& report, const Console& console) {
  const Style style(console.colour);
  console.out << fmt::format("  {}{}\n", style.bold(printable(report.jail)),
                             report.carried_over ? "" : style.red(" can't be carried over"));
  print_section(console, "becomes", report.becomes);
  print_section(console, "differs", report.differs);
  print_section(console, "beware", report.may_be_tricked);
  print_section(console, "fault", report.complaints);
}

Json report_json(const f2b::JailReport& report) {
  return {{"jail", report.jail},       {"carried_over", report.carried_over},     {"becomes", report.becomes},
          {"differs", report.differs}, {"may_be_tricked", report.may_be_tricked}, {"complaints", report.complaints}};
}

std::string quoted(const std::string& text) {
  return Json(text).dump();  // an absolute path in TOML's basic strings is written as in JSON
}

}  // namespace

Result<void> report_fail2ban(const Fail2banOptions& options, const Console& console) {
  const auto ban = policy_of(options);
  if (!ban) return Failure(ban.error());
  const auto jails = f2b::read_jails(options.directory);
  if (!jails) return Failure(jails.error());
  if (options.json) {
    Json all = Json::array();
    for (const f2b::Jail& jail : jails->enabled) all.push_back(report_json(whole_report(jail, *ban)));
    const Json json = {{"directory", options.directory},
                       {"jails", std::move(all)},
                       {"disabled", jails->disabled},
                       {"complaints", jails->complaints}};
    console.out << json.dump(-1, ' ', true, Json::error_handler_t::replace) << "\n";
    return {};
  }
  size_t carried = 0;
  console.out << fmt::format("Jails of {} that are enabled\n", printable(options.directory));
  for (const f2b::Jail& jail : jails->enabled) {
    const f2b::JailReport report = whole_report(jail, *ban);
    carried += report.carried_over ? 1 : 0;
    print_report(report, console);
  }
  for (const std::string& complaint : jails->complaints) console.err << "palang: " << printable(complaint) << "\n";
  console.out << fmt::format(
      "\n{} of {} can be carried over; {} are not enabled. Nothing was changed: 'palang rules load-fail2ban' does "
      "it.\n",
      carried, counted(jails->enabled.size(), "jail"), jails->disabled.size());
  return {};
}

std::string with_fail2ban(const std::string& config, const std::string& directory) {
  const std::string key = fmt::format("fail2ban = {}", quoted(directory));
  std::istringstream lines(config);
  std::string text;
  std::string section;
  bool done = false;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view plain = trim(line);
    if (plain.starts_with('[')) section = plain.substr(0, plain.find(']') + 1);
    const std::string_view name = trim(plain.substr(0, plain.find('=')));
    const bool is_key = section == "[rules]" && (name == "fail2ban" || name == "#fail2ban") && plain.contains('=');
    const bool dotted = section.empty() && name == "rules.fail2ban";
    if ((is_key || dotted) && !done) {
      text += (dotted ? "rules." : "") + key + "\n";
      done = true;
    } else if (!(is_key && name == "fail2ban")) {
      text += line + "\n";
    }
    if (plain.starts_with("[rules]") && !done && config.find("\n#fail2ban") == std::string::npos &&
        config.find("\nfail2ban") == std::string::npos) {
      text += key + "\n";
      done = true;
    }
  }
  if (!done) text += (text.empty() ? "" : "\n") + fmt::format("[rules]\n{}\n", key);
  return text;
}

Result<void> load_fail2ban(const Fail2banOptions& options, const Console& console) {
  std::error_code error;
  const std::string directory = std::filesystem::absolute(options.directory, error).lexically_normal().string();
  const auto jails = f2b::read_jails(directory);
  if (!jails) return Failure(jails.error());
  const std::string path = options.config_path.value_or(std::string(default_config_path));
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream old;
  if (file) old << file.rdbuf();
  const std::string text = with_fail2ban(old.str(), directory);
  const auto parsed = parse_config(text, path);
  if (!parsed) return Failure(parsed.error());
  if (parsed->rules.fail2ban != directory)
    return fail(fmt::format("write {}: it can't be told where [rules] is; write fail2ban = {} below it by hand", path,
                            quoted(directory)));
  if (text == old.str()) {
    console.out << fmt::format("{} names {} already.\n", path, directory);
  } else {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (const auto written = write_file(path, text); !written) return written;
    console.out << fmt::format("{} has now: [rules] fail2ban = {}\n", path, quoted(directory));
  }
  const auto reply = ApiClient(options.socket).fetch({"POST", Target("/v1/reload"), ""});
  if (!reply) {
    console.out << "No daemon was told: it reads its configuration when it starts.\n";
    return {};
  }
  if (const auto done = read_done(*reply))
    for (const std::string& note : done->notes) console.out << printable(note) << "\n";
  return {};
}

}  // namespace palang
