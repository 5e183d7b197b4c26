#include "app/intake.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/boot_time.hpp"
#include "host/log_sources.hpp"
#include "host/root.hpp"
#include "source/connections.hpp"
#include "source/file_tail.hpp"
#include "source/journal.hpp"
#include "source/kernel_log.hpp"
#include "source/nflog.hpp"
#include "source/stdin_source.hpp"

namespace palang {
namespace {

std::optional<Position> position_of(const std::vector<Position>& stored, const std::string& source) {
  for (const Position& position : stored)
    if (position.source == source) return position;
  return {};
}

using OpenedSource = Result<std::unique_ptr<Source>>;

template <typename Concrete>
OpenedSource as_source(Result<std::unique_ptr<Concrete>> opened) {
  if (!opened) return Failure(opened.error());
  return std::unique_ptr<Source>(std::move(*opened));
}

OpenedSource open_kernel_log(const std::vector<Position>& stored, const Clock& clock) {
  auto device = KmsgDevice::open();
  if (!device) return Failure(device.error());
  return std::make_unique<KernelLog>(std::move(*device), clock, position_of(stored, "kmsg"));
}

// A journal holds months of services' lines, and those older than a day are old news.
constexpr Duration journal_look_back = one_day;

// One place to read, and what for.
struct Wanted {
  SourceSettings settings;
  bool kernel = true;    // the firewall's lines
  bool services = true;  // lines for the rules
};

OpenedSource open_journal(const Wanted& wanted, const WantedLines& lines, const std::vector<Position>& stored,
                          const Clock& clock) {
  JournalOptions options;
  options.kernel = wanted.kernel;
  if (wanted.services && lines.services) {
    options.services = lines.from_journal;
    if (!wanted.kernel) options.since = clock.now() - journal_look_back;
  }
  return as_source(Journal::open(options, position_of(stored, "journald")));
}

OpenedSource open_source(const Wanted& wanted, const WantedLines& lines, const std::vector<Position>& stored,
                         const Clock& clock) {
  const SourceSettings& settings = wanted.settings;
  switch (settings.type) {
    case SourceSettings::Type::kmsg: return open_kernel_log(stored, clock);
    case SourceSettings::Type::journald: return open_journal(wanted, lines, stored, clock);
    case SourceSettings::Type::nflog: return as_source(Nflog::open(static_cast<uint16_t>(settings.group), clock));
    case SourceSettings::Type::file: break;
  }
  const auto start = settings.start == SourceSettings::Start::end ? FileTail::Start::end : FileTail::Start::beginning;
  return as_source(FileTail::open(settings.path, clock, start, position_of(stored, "file:" + settings.path)));
}

SourceSettings settings_of(const LogSource& found) {
  SourceSettings settings;
  switch (found.kind) {
    case LogSource::Kind::kmsg: settings.type = SourceSettings::Type::kmsg; break;
    case LogSource::Kind::journald: settings.type = SourceSettings::Type::journald; break;
    case LogSource::Kind::file:
      settings.type = SourceSettings::Type::file;
      settings.path = found.path;
      break;
  }
  return settings;
}

// What the configuration names: all of it is read for everything, but no kernel line twice.
std::vector<Wanted> configured(const std::vector<SourceSettings>& sources) {
  using Type = SourceSettings::Type;
  const bool kmsg = std::ranges::any_of(sources, [](const SourceSettings& one) { return one.type == Type::kmsg; });
  std::vector<Wanted> wanted;
  for (const SourceSettings& settings : sources)
    wanted.push_back({settings, !kmsg || settings.type != Type::journald, true});
  return wanted;
}

// What this host has.
std::vector<Wanted> found_on_host(const WantedLines& lines, std::vector<std::string>& notices) {
  std::vector<Wanted> wanted;
  const auto add = [&](const FoundLogSources& found, bool kernel) {
    for (const std::string& sentence : found.passed_over) notices.push_back(sentence);
    for (const LogSource& source : found.sources) {
      const SourceSettings settings = settings_of(source);
      const auto same = std::ranges::find(wanted, settings, &Wanted::settings);
      notices.push_back("reading " + source.why);
      if (same != wanted.end())
        same->services = true;
      else
        wanted.push_back({settings, kernel, !kernel});
    }
  };
  add(find_log_sources(HostRoot{}), true);
  if (wanted.empty())
    notices.emplace_back("found no kernel log to read; name one under [[source]] in the configuration");
  if (lines.services) add(find_service_sources(HostRoot{}), false);
  return wanted;
}

}  // namespace

std::string Intake::current_trouble() const {
  constexpr std::string_view file = "file:";
  const std::string& name = source->name();
  if (!trouble.empty() || !name.starts_with(file) || !source->position().value.empty()) return trouble;
  return fmt::format("{} does not exist; it is read as soon as it does", name.substr(file.size()));
}

Result<OpenedIntakes> open_intakes(const Config& config, const WantedLines& lines, const std::vector<Position>& stored,
                                   const Clock& clock) {
  OpenedIntakes opened;
  const bool named = !config.sources.empty();
  for (const Wanted& wanted : named ? configured(config.sources) : found_on_host(lines, opened.notices)) {
    auto source = open_source(wanted, lines, stored, clock);
    if (!source && named) return Failure(source.error());
    const auto reads = wanted.kernel ? LineReader::Reads::everything : LineReader::Reads::services;
    if (source)
      opened.intakes.push_back({std::move(*source), LineReader(boot_time(), reads), {}, false});
    else
      opened.notices.push_back(source.error().text + "; the bans of the ledger are kept all the same");
  }
  // The kernel's table of connections: who has too many comes like a line from a log.
  if (const ConnectionSettings& counted = config.policy.detect.connections; counted.limit > 0) {
    auto source = ConnectionSource::open(counted, HashSeed::random(), clock);
    if (!source) return Failure(source.error());
    opened.intakes.push_back({std::move(*source), LineReader(boot_time()), {}, false});
  }
  return opened;
}

OpenedIntakes open_followed(FollowedFiles& files, bool first_look, const std::vector<Position>& stored,
                            const Clock& clock) {
  OpenedIntakes opened;
  const FollowedFiles::News news = files.look();
  const auto start = first_look ? FileTail::Start::end : FileTail::Start::beginning;
  for (const std::string& path : news.paths) {
    auto source = as_source(FileTail::open(path, clock, start, position_of(stored, "file:" + path)));
    if (!source) {
      opened.notices.push_back(source.error().text);
      continue;
    }
    opened.notices.push_back(fmt::format("reading log file {}: rules are for it", path));
    opened.intakes.push_back({std::move(*source), LineReader(boot_time(), LineReader::Reads::file), {}, false});
  }
  if (news.too_many > 0)
    opened.notices.push_back(fmt::format("{} more log files that rules name are not read: {} is the limit",
                                         news.too_many, FollowedFiles::most_files));
  return opened;
}

Result<OpenedIntakes> open_stdin_intake(const Clock& clock) {
  auto source = as_source(StdinSource::open(clock));
  if (!source) return Failure(source.error());
  OpenedIntakes opened;
  opened.intakes.push_back({std::move(*source), LineReader(boot_time()), {}, false});
  opened.notices.emplace_back("reading standard input");
  return opened;
}

}  // namespace palang
