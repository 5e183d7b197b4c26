#include "app/intake.hpp"

#include <fmt/format.h>

#include "host/boot_time.hpp"
#include "host/log_sources.hpp"
#include "host/root.hpp"
#include "source/file_tail.hpp"
#include "source/journal.hpp"
#include "source/kernel_log.hpp"
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

OpenedSource open_source(const SourceSettings& settings, const std::vector<Position>& stored, const Clock& clock) {
  switch (settings.type) {
    case SourceSettings::Type::kmsg: return open_kernel_log(stored, clock);
    case SourceSettings::Type::journald: return as_source(Journal::open({}, position_of(stored, "journald")));
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

}  // namespace

Result<OpenedIntakes> open_intakes(const Config& config, const std::vector<Position>& stored, const Clock& clock) {
  OpenedIntakes opened;
  std::vector<SourceSettings> wanted = config.sources;
  if (wanted.empty()) {
    const FoundLogSources found = find_log_sources(HostRoot{});
    for (const std::string& sentence : found.passed_over) opened.notices.push_back(sentence);
    for (const LogSource& source : found.sources) {
      opened.notices.push_back("reading " + source.why);
      wanted.push_back(settings_of(source));
    }
    if (wanted.empty())
      opened.notices.emplace_back("found no kernel log to read; name one under [[source]] in the configuration");
  }
  for (const SourceSettings& settings : wanted) {
    auto source = open_source(settings, stored, clock);
    if (!source && !config.sources.empty()) return Failure(source.error());
    if (source)
      opened.intakes.push_back({std::move(*source), LineParser(boot_time()), {}, false});
    else
      opened.notices.push_back(source.error().text + "; the bans of the ledger are kept all the same");
  }
  return opened;
}

Result<OpenedIntakes> open_stdin_intake(const Clock& clock) {
  auto source = as_source(StdinSource::open(clock));
  if (!source) return Failure(source.error());
  OpenedIntakes opened;
  opened.intakes.push_back({std::move(*source), LineParser(boot_time()), {}, false});
  opened.notices.emplace_back("reading standard input");
  return opened;
}

}  // namespace palang
