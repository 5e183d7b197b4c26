#include "app/replay.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "app/followed_files.hpp"
#include "app/report.hpp"
#include "app/rule_loading.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "config/config.hpp"
#include "engine/survey.hpp"
#include "host/boot_time.hpp"
#include "source/replay.hpp"

namespace palang {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// One line on a terminal that grows until the replay is done; nothing elsewhere.
class ProgressBar {
 public:
  ProgressBar(const Replay& replay, bool shown) : replay_(replay), shown_(shown && ::isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() {
    if (drawn_) write("\r\x1b[K");
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(uint64_t lines) {
    if (!shown_ || seconds_since(drawn_at_) < 0.1) return;
    drawn_at_ = SteadyClock::now();
    drawn_ = true;
    const auto rate = static_cast<uint64_t>(static_cast<double>(lines) / std::max(seconds_since(start_), 0.001));
    const double share = replay_.bytes_total() == 0
                             ? 0
                             : static_cast<double>(replay_.bytes_done()) / static_cast<double>(replay_.bytes_total());
    constexpr size_t width = 30;
    const auto filled = std::min(width, static_cast<size_t>(share * width));
    write(fmt::format("\r[{}{}] {:3.0f} %  {} lines, {} lines/s\x1b[K", std::string(filled, '#'),
                      std::string(width - filled, '.'), share * 100, lines, rate));
  }

 private:
  static void write(const std::string& text) {
    // A progress bar that can't be drawn is no fault of the replay.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  }

  const Replay& replay_;
  bool shown_;
  bool drawn_ = false;
  SteadyClock::time_point start_ = SteadyClock::now();
  SteadyClock::time_point drawn_at_ = start_;
};

// When the first line of a file happened that says so; files without any go first.
WallTime first_time_of(const std::string& path, const Clock& clock) {
  auto replay = Replay::open({path}, clock);
  Source::Batch batch;
  if (!replay || !(*replay)->read(batch)) return {};
  LogLineReader reader(boot_time());
  for (const RawLine& raw : batch.lines)
    if (const auto line = reader.read(raw)) return line->at;
  return {};
}

// Rotated logs come from the shell newest first; a replay needs them in their order.
std::vector<std::string> in_order_of_time(const std::vector<std::string>& files, const Clock& clock) {
  std::vector<std::pair<WallTime, std::string>> dated;
  for (const std::string& file : files) {
    const bool seekable = file != "-" && files.size() > 1;
    dated.emplace_back(seekable ? first_time_of(file, clock) : WallTime::max(), file);
  }
  std::ranges::stable_sort(dated, {}, &std::pair<WallTime, std::string>::first);
  std::vector<std::string> sorted;
  for (auto& [time, file] : dated) sorted.push_back(std::move(file));
  return sorted;
}

std::vector<Survey::Policy> policies_for(const std::optional<Config>& config, const std::vector<RuleSettings>& rules) {
  PolicySettings classic;
  classic.ban = classic_profile();
  PolicySettings off;
  off.detect.blocked.enabled = false;
  off.detect.portscan.enabled = false;
  std::vector<Survey::Policy> policies{{"classic", classic}, {"default", PolicySettings{}}, {"off", off}};
  if (config) {
    for (Survey::Policy& policy : policies) policy.settings.allow = config->policy.allow;
    policies.push_back({"configured", config->policy});
  }
  for (Survey::Policy& policy : policies)
    if (policy.name != "off") policy.settings.rules = rules;
  return policies;
}

}  // namespace

Result<void> run_replay(const ReplayOptions& options, const Console& console) {
  const SystemClock clock;
  std::optional<Config> config;
  if (options.config_path) {
    auto loaded = load_config(options.config_path);
    if (!loaded) return Failure(loaded.error());
    config = std::move(*loaded);
  }
  auto rules = load_rule_set(config.value_or(Config{}), Patterns::when_needed);
  if (!rules) return Failure(rules.error());
  for (const auto* faults : {&rules->faults, &rules->jail_faults})
    for (const std::string& fault : *faults) log_warning(fault);
  const std::vector<std::string> files = in_order_of_time(options.files, clock);
  auto replay = Replay::open(files, clock);
  if (!replay) return Failure(replay.error());
  std::vector<std::string> origins;
  for (const std::string& file : files) origins.push_back(path_for_rules(file, rules->files));
  (*replay)->pretend(std::move(origins));

  const auto start = SteadyClock::now();
  Survey survey(policies_for(config, rules->settings), boot_time(), std::move(rules->book));
  Source::Batch batch;
  std::optional<Error> damage;
  {
    ProgressBar bar(**replay, !options.json);
    while (!batch.finished) {
      if (const auto done = (*replay)->read(batch); !done) {
        log_error(done.error().text);
        damage = done.error();
      }
      survey.observe(batch);
      bar.update(survey.lines());
    }
  }
  const SurveyResult result = survey.finish();
  const double seconds = seconds_since(start);
  console.out << (options.json ? report_json(result, seconds) : report_text(result, seconds, console));
  if (damage) return Failure(*damage);
  return {};
}

}  // namespace palang
