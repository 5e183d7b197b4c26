#include "ledger/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "ledger/rows.hpp"
#include "ledger/schema.hpp"

namespace palang {

namespace {

template <typename Use>
DbResult<void> for_each_row(Database& database, const std::string& query, Use&& use) {
  auto rows = database.prepare(query);
  if (!rows) return std::unexpected(rows.error());
  for (;;) {
    const auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    use(*rows);
  }
}

// A vector that grows by doubling would hold a million decisions twice for a moment.
DbResult<void> reserve(Database& database, Loaded& into) {
  const auto all = database.number("SELECT count(*) FROM decisions");
  if (!all) return std::unexpected(all.error());
  const auto ended = database.number("SELECT count(*) FROM decisions WHERE ended_at IS NOT NULL");
  if (!ended) return std::unexpected(ended.error());
  into.snapshot.active.reserve(static_cast<size_t>(std::max<int64_t>(*all - *ended, 0)));
  into.snapshot.past.reserve(static_cast<size_t>(std::max<int64_t>(*ended, 0)));
  return {};
}

// Active decisions, and those that ended after `since`, in one pass.
DbResult<void> load_decisions(Database& database, WallTime now, WallTime since, const EndInForce& end_in_force,
                              Loaded& into) {
  std::vector<PastDecision>& past = into.snapshot.past;
  const std::string query =
      fmt::format("SELECT {}, ended_at, how FROM decisions WHERE ended_at IS NULL OR ended_at >= {}", decision_columns,
                  since.time_since_epoch().count());
  const auto done = for_each_row(database, query, [&](const Statement& row) {
    auto decision = decision_of(row);
    if (!decision) {
      ++into.unreadable;
      return;
    }
    const bool open = row.is_null(decision_column_count);
    if (open && end_in_force) decision->until = end_in_force(*decision);
    const WallTime end = open ? decision->until : row.time(decision_column_count);
    const bool lifted = row.text(decision_column_count + 1) == change_name(ChangeKind::lifted);
    const bool active = open && end > now;
    if (!active && end >= since)
      past.push_back({decision->prefix, decision->from, end, decision->rule, decision->repeat, lifted});
    if (active)
      into.snapshot.active.push_back(*decision);
    else if (open)
      into.expired.push_back(decision->id);
  });
  std::ranges::sort(past, {}, &PastDecision::from);
  return done;
}

DbResult<void> load_pending(Database& database, Loaded& into) {
  return for_each_row(database, "SELECT rule, address, times, ports FROM pending", [&](const Statement& row) {
    if (auto pending = pending_of(row))
      into.snapshot.pending.push_back(std::move(*pending));
    else
      ++into.unreadable;
  });
}

DbResult<void> load_positions(Database& database, Loaded& into) {
  return for_each_row(database, "SELECT source, value FROM positions", [&](const Statement& row) {
    into.snapshot.positions.push_back({std::string(row.text(0)), std::string(row.text(1))});
  });
}

DbResult<void> load_allowed(Database& database, WallTime now, Loaded& into) {
  return for_each_row(database, "SELECT prefix, since, until, note FROM allowed", [&](const Statement& row) {
    const auto prefix = Prefix::parse(row.text(0));
    if (!prefix) {
      ++into.unreadable;
      return;
    }
    const WallTime until = row.is_null(2) ? WallTime::max() : row.time(2);
    if (until > now) into.snapshot.allowed.push_back({*prefix, row.time(1), until, std::string(row.text(3))});
  });
}

}  // namespace

DbResult<Loaded> load(Database& database, WallTime now, Duration remember, const EndInForce& end_in_force) {
  Loaded loaded;
  const auto version = schema_version_of(database);
  if (!version) return std::unexpected(version.error());
  loaded.snapshot.fresh = *version == 0;
  if (loaded.snapshot.fresh) return loaded;
  const auto last_id = database.number("SELECT max(id) FROM decisions");
  if (!last_id) return std::unexpected(last_id.error());
  loaded.snapshot.last_id = static_cast<uint64_t>(*last_id);

  if (auto done = reserve(database, loaded); !done) return std::unexpected(done.error());
  if (auto done = load_decisions(database, now, now - remember, end_in_force, loaded); !done)
    return std::unexpected(done.error());
  if (auto done = load_pending(database, loaded); !done) return std::unexpected(done.error());
  if (auto done = load_positions(database, loaded); !done) return std::unexpected(done.error());
  if (auto done = load_allowed(database, now, loaded); !done) return std::unexpected(done.error());
  return loaded;
}

}  // namespace palang
