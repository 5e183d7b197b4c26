#include "ledger/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ledger/load.hpp"

namespace palang {

namespace {

struct Reading {
  LedgerFile file;
  Loaded loaded;
};

DbResult<Reading> open_and_load(const std::string& path, WallTime now, Duration remember,
                                const EndInForce& end_in_force) {
  auto file = open_for_writing(path, now);
  if (!file) return std::unexpected(file.error());
  auto loaded = load(file->database, now, remember, end_in_force);
  if (!loaded) {
    file->database.fold_log_on_close(false);
    return std::unexpected(loaded.error());
  }
  loaded->snapshot.fresh = file->created;
  return Reading{std::move(*file), std::move(*loaded)};
}

DbResult<Reading> open_or_begin_anew(const std::string& path, WallTime now, Duration remember,
                                     const EndInForce& end_in_force, std::vector<std::string>& notices) {
  auto reading = open_and_load(path, now, remember, end_in_force);
  if (reading || reading.error().kind != DbError::Kind::corrupt) return reading;
  const auto name = set_aside(path, now);
  if (!name) return std::unexpected(name.error());
  notices.push_back(fmt::format("{}; the file is kept as {}, a new one is begun", reading.error().text, *name));
  return open_and_load(path, now, remember, end_in_force);
}

// Where nothing can be written: the bans of before still have to be known.
DbResult<Loaded> read_only(const std::string& path, WallTime now, Duration remember, const EndInForce& end_in_force) {
  auto database = Database::open(path, Database::Mode::read_only);
  if (!database) return std::unexpected(database.error());
  return load(*database, now, remember, end_in_force);
}

Loaded unknown_state(WallTime now) {
  Loaded loaded;
  loaded.snapshot.fresh = true;
  // Microseconds since 1970 are above every id given before and below those given after.
  loaded.snapshot.last_id = static_cast<uint64_t>(now.time_since_epoch().count());
  return loaded;
}

}  // namespace

Ledger::Ledger(LedgerWorker::Start start)
    : mailbox_(start.limits.queue_bytes), worker_(std::move(start), mailbox_), thread_([this] { worker_.run(); }) {}

Ledger::~Ledger() {
  mailbox_.close();
  thread_.join();
}

Result<OpenedLedger> open_ledger(const std::string& path, WallTime now, Duration remember, LedgerLimits limits,
                                 const EndInForce& end_in_force) {
  limits.keep = std::max(limits.keep, remember);
  LedgerWorker::Start start{path, now, limits, {}, {}, {}, false, {}};
  OpenedLedger opened;
  Loaded loaded;

  std::optional<DbError> trouble;
  if (auto lock = LedgerLock::acquire(path))
    start.lock = std::move(*lock);
  else
    trouble = lock.error();
  if (!trouble) {
    if (auto reading = open_or_begin_anew(path, now, remember, end_in_force, opened.notices)) {
      start.file = std::move(reading->file);
      loaded = std::move(reading->loaded);
    } else {
      trouble = reading.error();
    }
  }
  if (trouble && trouble->kind != DbError::Kind::refused) {
    auto there = read_only(path, now, remember, end_in_force);
    if (there && !there->snapshot.fresh)
      loaded = std::move(*there);
    else if (!there && there.error().kind == DbError::Kind::refused)
      trouble = there.error();
    else
      loaded = unknown_state(now);
  }
  if (trouble && trouble->kind == DbError::Kind::refused) return std::unexpected(trouble->error());

  if (loaded.unreadable > 0)
    opened.notices.push_back(fmt::format("{}: {} rows make no sense and are left out", path, loaded.unreadable));
  opened.trouble = start.trouble = trouble ? trouble->text : "";
  start.expired = std::move(loaded.expired);
  start.state_known = !trouble || !loaded.snapshot.fresh;
  opened.snapshot = std::move(loaded.snapshot);
  opened.ledger = std::make_unique<Ledger>(std::move(start));
  return opened;
}

}  // namespace palang
