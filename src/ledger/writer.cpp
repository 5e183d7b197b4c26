#include "ledger/writer.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "ledger/rows.hpp"

namespace palang {

namespace {

constexpr size_t longest_line = 512;
constexpr uint64_t small_portion = 500;    // rows, while there may be work waiting
constexpr uint64_t large_portion = 5'000;  // rows over a cap that go at once: finding that out is the dearer part

// A source is trimmed at about each 16th line of evidence: a lookup for every line would double their cost.
constexpr int64_t trim_every = 16;

}  // namespace

enum Writer::Sql : uint8_t {
  put_decision,
  close_others,
  end_one,
  put_evidence,
  trim_source,
  oldest_evidence,
  newest_evidence,
  prune_evidence,
  count_ended,
  prune_decisions,
  active_decisions,
  put_pending,
  drop_pending,
  prune_pending,
  put_position,
  put_allowed,
  drop_allowed,
  prune_allowed,
  clear_pending,
  clear_positions,
  clear_allowed,
  probe_write,
  sql_count
};

namespace {

// In the order of Writer::Sql.
constexpr const char* texts[] = {
    // put_decision
    "INSERT INTO decisions (id, prefix, since, until, proven_at, count, port, protocol, rule, scope, origin, proof,"
    " repeat, note, how, ended_at) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)"
    " ON CONFLICT (id) DO UPDATE SET until=?4, proven_at=?5, count=?6, port=?7, protocol=?8, rule=?9, scope=?10,"
    " origin=?11, proof=?12, repeat=?13, note=coalesce(?14, note), how=?15, ended_at=?16",
    // close_others
    "UPDATE decisions SET how = 'absorbed', ended_at = ?3 WHERE prefix = ?1 AND ended_at IS NULL AND id <> ?2",
    // end_one
    "UPDATE decisions SET how = iif(until <= ?2, 'ended', 'lifted'), ended_at = min(until, ?2)"
    " WHERE id = ?1 AND ended_at IS NULL",
    // put_evidence
    "INSERT INTO evidence (network, address, at, rule, line) VALUES (?1, ?2, ?3, ?4, ?5)",
    // trim_source
    "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence WHERE network = ?1"
    " ORDER BY at DESC LIMIT -1 OFFSET ?2)",
    // oldest_evidence, newest_evidence
    "SELECT min(id) FROM evidence",
    "SELECT max(id) FROM evidence",
    // prune_evidence
    "DELETE FROM evidence WHERE id IN (SELECT id FROM evidence ORDER BY id LIMIT ?2) AND at < ?1",
    // count_ended
    "SELECT count(*) FROM decisions WHERE ended_at IS NOT NULL",
    // prune_decisions; the newest id stays, so that ids are never given twice
    "DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE ended_at < ?1 ORDER BY ended_at LIMIT ?2)"
    " AND id < (SELECT max(id) FROM decisions)",
    // active_decisions
    "SELECT id FROM decisions WHERE ended_at IS NULL",
    // put_pending, drop_pending, prune_pending
    "INSERT INTO pending (rule, address, newest, times, ports) VALUES (?1, ?2, ?3, ?4, ?5)"
    " ON CONFLICT (rule, address) DO UPDATE SET newest = ?3, times = ?4, ports = ?5",
    "DELETE FROM pending WHERE rule = ?1 AND address = ?2",
    "DELETE FROM pending WHERE rowid IN (SELECT rowid FROM pending WHERE newest < ?1 LIMIT ?2)",
    // put_position
    "INSERT INTO positions (source, value) VALUES (?1, ?2) ON CONFLICT (source) DO UPDATE SET value = ?2",
    // put_allowed, drop_allowed, prune_allowed
    "INSERT INTO allowed (prefix, since, until, note) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (prefix) DO UPDATE SET since = ?2, until = ?3, note = ?4",
    "DELETE FROM allowed WHERE prefix = ?1",
    "DELETE FROM allowed WHERE until < ?1",
    // clear_pending, clear_positions, clear_allowed
    "DELETE FROM pending",
    "DELETE FROM positions",
    "DELETE FROM allowed",
    // probe_write
    "INSERT INTO meta (name, value) VALUES ('probes', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
};

// How many of `rows` should go: a little more than what is over the cap, so that it isn't met again with the next
// batch; bounded where much is over (a cap lowered in the configuration), but always more than came in.
uint64_t portion_over(uint64_t rows, uint64_t cap, uint64_t came_in) {
  return std::min(rows - cap + std::min(large_portion, cap / 100), large_portion + came_in);
}

bool is_over(ChangeKind kind) {
  return kind != ChangeKind::added && kind != ChangeKind::moved;
}

std::optional<std::string_view> text_or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

DbResult<Writer> Writer::prepare(Database& database, const LedgerLimits& limits) {
  static_assert(std::size(texts) == sql_count);
  Writer writer(database, limits);
  for (const char* const text : texts) {
    auto statement = database.prepare(text);
    if (!statement) return std::unexpected(statement.error());
    writer.statements_.push_back(std::move(*statement));
  }
  if (const auto done = writer.note_evidence_ids(); !done) return std::unexpected(done.error());
  const auto ended = writer.sql(count_ended).number(0);
  if (!ended) return std::unexpected(ended.error());
  writer.ended_rows_ = static_cast<uint64_t>(*ended);
  return writer;
}

template <typename Row>
DbResult<void> Writer::put_all(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    if (auto done = put(row); !done) return done;
  return {};
}

DbResult<void> Writer::apply(const LedgerBatch& batch) {
  if (auto done = put_all(batch.changes); !done) return done;
  if (auto done = put_all(batch.evidence); !done) return done;
  if (auto done = put_all(batch.pending); !done) return done;
  if (auto done = put_all(batch.allowed); !done) return done;
  if (auto done = put_all(batch.disallowed); !done) return done;
  if (auto done = put_all(batch.positions); !done) return done;
  if (auto done = keep_evidence_cap(batch.evidence.size()); !done) return done;
  return keep_history_cap(batch.changes.size());
}

DbResult<void> Writer::put(const Change& change) {
  const Decision& d = change.decision;
  const std::string prefix = d.prefix.text();
  const auto put_with = [&](auto how, auto ended_at) {
    return sql(put_decision)
        .run(d.id, std::string_view(prefix), d.from, d.until, d.proven_at, d.count, d.port, protocol_name(d.protocol),
             rule_name(d.rule), scope_name(d.scope), origin_name(d.origin), proof_name(d.proof), d.repeat,
             text_or_null(change.note), how, ended_at);
  };
  if (is_over(change.kind)) {
    ++ended_rows_;
    return put_with(change_name(change.kind), std::min(change.at, d.until));
  }
  if (auto done = sql(close_others).run(std::string_view(prefix), d.id, change.at); !done) return done;
  return put_with(nullptr, nullptr);
}

DbResult<void> Writer::put(const Evidence& evidence) {
  const std::string address = evidence.source.text();
  const int64_t network = network_range(Prefix::of(evidence.source)).first;
  const std::string_view line = std::string_view(evidence.line).substr(0, longest_line);
  auto done = sql(put_evidence).run(network, std::string_view(address), evidence.at, rule_name(evidence.rule), line);
  if (!done) return done;
  newest_evidence_ = database_->last_insert_id();
  if (newest_evidence_ % trim_every != 0) return done;
  done = sql(trim_source).run(network, limits_.evidence_per_source);
  if (done) pruned_.evidence += static_cast<uint64_t>(database_->changes());
  return done;
}

DbResult<void> Writer::put(const Pending& pending) {
  const std::string subject = pending.subject.text();
  if (pending.times.empty()) return sql(drop_pending).run(rule_name(pending.rule), std::string_view(subject));
  const std::string times = join(pending.times);
  const std::string values = join(pending.values);
  return sql(put_pending)
      .run(rule_name(pending.rule), std::string_view(subject), pending.times.back(), std::string_view(times),
           std::string_view(values));
}

DbResult<void> Writer::put(const Position& position) {
  return sql(put_position).run(std::string_view(position.source), std::string_view(position.value));
}

DbResult<void> Writer::put(const AllowEntry& entry) {
  const std::string prefix = entry.prefix.text();
  const auto until = entry.until == WallTime::max() ? std::nullopt : std::optional(entry.until);
  return sql(put_allowed).run(std::string_view(prefix), entry.since, until, std::string_view(entry.note));
}

DbResult<void> Writer::put(const Prefix& disallowed) {
  const std::string prefix = disallowed.text();
  return sql(drop_allowed).run(std::string_view(prefix));
}

// What the ledger holds as active and memory doesn't was given up while nothing could be written.
DbResult<void> Writer::end_all_but(const std::vector<Decision>& active, WallTime at) {
  std::unordered_set<uint64_t> kept;  // ids are our own: nobody can aim them at one bucket
  kept.reserve(active.size());
  for (const Decision& decision : active) kept.insert(decision.id);

  std::vector<uint64_t> gone;
  Statement& rows = sql(active_decisions);
  for (;;) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    const auto id = static_cast<uint64_t>(rows.integer(0));
    if (!kept.contains(id)) gone.push_back(id);
  }
  return end_active(gone, at);
}

DbResult<void> Writer::end_active(std::span<const uint64_t> ids, WallTime at) {
  for (const uint64_t id : ids) {
    if (auto done = sql(end_one).run(id, at); !done) return done;
    ++ended_rows_;
  }
  return {};
}

DbResult<void> Writer::replace(const Resync& whole) {
  if (auto done = end_all_but(whole.active, whole.at); !done) return done;
  for (const Decision& decision : whole.active)
    if (auto done = put(Change{ChangeKind::added, decision, whole.at, {}}); !done) return done;
  for (const Sql clear : {clear_pending, clear_positions, clear_allowed})
    if (auto done = sql(clear).run(); !done) return done;
  if (auto done = put_all(whole.pending); !done) return done;
  if (auto done = put_all(whole.allowed); !done) return done;
  return put_all(whole.positions);
}

DbResult<void> Writer::probe() {
  return sql(probe_write).run();
}

DbResult<uint64_t> Writer::delete_rows(Sql which, WallTime older_than, uint64_t portion) {
  if (const auto done = sql(which).run(older_than, portion); !done) return std::unexpected(done.error());
  return static_cast<uint64_t>(database_->changes());
}

DbResult<void> Writer::note_evidence_ids() {
  const auto oldest = sql(oldest_evidence).number(1);
  if (!oldest) return std::unexpected(oldest.error());
  const auto newest = sql(newest_evidence).number(0);
  if (!newest) return std::unexpected(newest.error());
  oldest_evidence_ = *oldest;
  newest_evidence_ = *newest;
  return {};
}

// With every batch, so that no flood of lines outruns it.
DbResult<void> Writer::keep_evidence_cap(uint64_t inserted) {
  const auto rows = static_cast<uint64_t>(newest_evidence_ - oldest_evidence_ + 1);
  if (inserted == 0 || rows <= limits_.evidence_rows) return {};
  const uint64_t portion = portion_over(rows, limits_.evidence_rows, inserted);
  const auto deleted = delete_rows(prune_evidence, WallTime::max(), portion);
  if (!deleted) return std::unexpected(deleted.error());
  pruned_.evidence += *deleted;
  return note_evidence_ids();
}

DbResult<void> Writer::keep_history_cap(uint64_t newly_ended) {
  if (ended_rows_ <= limits_.history_rows) return {};
  const auto counted = sql(count_ended).number(0);
  if (!counted) return std::unexpected(counted.error());
  ended_rows_ = static_cast<uint64_t>(*counted);
  if (ended_rows_ <= limits_.history_rows) return {};
  const uint64_t portion = portion_over(ended_rows_, limits_.history_rows, newly_ended);
  const auto deleted = delete_rows(prune_decisions, WallTime::max(), portion);
  if (!deleted) return std::unexpected(deleted.error());
  ended_rows_ -= *deleted;
  pruned_.decisions += *deleted;
  return {};
}

// One table after the other: finding nothing in the last ones may take a look at every row.
DbResult<bool> Writer::tidy(WallTime now) {
  const WallTime old = now - limits_.keep;
  const auto evidence = delete_rows(prune_evidence, old, small_portion);
  if (!evidence) return std::unexpected(evidence.error());
  pruned_.evidence += *evidence;
  if (const auto done = note_evidence_ids(); !done) return std::unexpected(done.error());
  if (*evidence == small_portion) return true;

  const auto decisions = delete_rows(prune_decisions, old, small_portion);
  if (!decisions) return std::unexpected(decisions.error());
  pruned_.decisions += *decisions;
  ended_rows_ -= std::min(ended_rows_, *decisions);
  if (*decisions == small_portion) return true;

  const auto pending = delete_rows(prune_pending, old, small_portion);
  if (!pending) return std::unexpected(pending.error());
  if (const auto done = sql(prune_allowed).run(now); !done) return std::unexpected(done.error());
  return *pending == small_portion;
}

}  // namespace palang
