#include "ledger/history.hpp"

#include <unistd.h>

#include <algorithm>

#include "ledger/rows.hpp"
#include "ledger/schema.hpp"

namespace palang {

namespace {

// Of a wide prefix: as many rows are looked at to find the newest. Bounds what an admin's /8 costs the loop.
constexpr int neighbour_scan = 5'000;

template <typename Use>
DbResult<void> read_rows(Statement& rows, Use&& use) {
  for (;;) {
    const auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    use(rows);
  }
}

DbResult<void> read_decisions(Statement& rows, const Prefix& prefix, size_t limit, std::vector<PastView>& into) {
  const std::string text = prefix.text();
  rows.bind(std::string_view(text), limit);
  return read_rows(rows, [&](const Statement& row) {
    const auto decision = decision_of(row);
    if (!decision) return;
    PastView view{*decision, std::string(row.text(decision_column_count)),
                  std::string(row.text(decision_column_count + 1))};
    if (!row.is_null(decision_column_count + 2)) view.decision.until = row.time(decision_column_count + 2);
    into.push_back(std::move(view));
  });
}

DbResult<void> read_evidence(Statement& rows, std::vector<Evidence>& into) {
  return read_rows(rows, [&](const Statement& row) {
    if (auto evidence = evidence_of(row)) into.push_back(std::move(*evidence));
  });
}

// The widest of them, if any is wider than the address itself.
const Prefix* widest_of(const std::vector<PastView>& decisions) {
  const auto widest =
      std::ranges::min_element(decisions, {}, [](const PastView& v) { return v.decision.prefix.bits(); });
  if (widest == decisions.end() || widest->decision.prefix.is_single()) return nullptr;
  return &widest->decision.prefix;
}

}  // namespace

DbResult<LedgerHistory::Connection> LedgerHistory::open() const {
  const FileIdentity identity = identify(path_);
  auto database = Database::open(path_, Database::Mode::read);
  if (!database) return std::unexpected(database.error());
  if (const auto done = configure_reader(*database); !done) return std::unexpected(done.error());
  const auto prepare = [&](const std::string& sql) { return database->prepare(sql); };
  auto decisions = prepare(std::string("SELECT ") + decision_columns +
                           ", note, how, ended_at FROM decisions WHERE prefix = ?1 ORDER BY id DESC LIMIT ?2");
  auto evidence = prepare(
      "SELECT address, at, rule, line FROM evidence WHERE network = ?1 AND address = ?2"
      " ORDER BY at DESC LIMIT ?3");
  // The inner ones read the index alone; lines are fetched for those that are shown.
  auto neighbours = prepare(
      "SELECT address, at, rule, line FROM evidence WHERE id IN (SELECT id FROM"
      " (SELECT id, at FROM evidence WHERE network BETWEEN ?1 AND ?2 LIMIT ?3)"
      " ORDER BY at DESC LIMIT ?4) ORDER BY at DESC");
  auto note = prepare("SELECT note FROM decisions WHERE id = ?1");
  auto notes = prepare(
      "SELECT id, note FROM decisions WHERE note IS NOT NULL AND id > ?1 AND ended_at IS NULL"
      " ORDER BY id LIMIT ?2");
  for (const auto* statement : {&decisions, &evidence, &neighbours, &note, &notes})
    if (!*statement) return std::unexpected(statement->error());
  // All connections of a process share one index of the log (-shm): as long as one holds it that was opened where
  // nothing could be written, the worker couldn't write either, though the disk has recovered.
  const bool keep = ::access((path_ + "-shm").c_str(), W_OK) == 0;
  return Connection{
      std::move(*database), identity,         keep, std::move(*decisions), std::move(*evidence), std::move(*neighbours),
      std::move(*note),     std::move(*notes)};
}

DbResult<LedgerHistory::Connection*> LedgerHistory::connected() {
  if (connection_ && connection_->identity != identify(path_)) connection_.reset();
  if (!connection_) {
    auto opened = open();
    if (!opened) return std::unexpected(opened.error());
    connection_.emplace(std::move(*opened));
  }
  return &*connection_;
}

DbResult<AddressHistory> LedgerHistory::read_history(const Address& address, size_t limit) {
  const auto connection = connected();
  if (!connection) return std::unexpected(connection.error());
  Connection& ledger = **connection;
  AddressHistory history;

  const unsigned longest = address.is_v4() ? 32 : 128;
  for (unsigned length = 0; length <= longest; ++length) {
    const auto done = read_decisions(ledger.decisions, Prefix::of_length(address, length), limit, history.decisions);
    if (!done) return std::unexpected(done.error());
  }
  std::ranges::sort(history.decisions, std::greater{},
                    [](const PastView& view) { return std::pair(view.decision.from, view.decision.id); });
  if (history.decisions.size() > limit) history.decisions.resize(limit);

  const std::string text = address.text();
  ledger.evidence.bind(network_range(Prefix::of(address)).first, std::string_view(text), limit);
  if (const auto done = read_evidence(ledger.evidence, history.evidence); !done) return std::unexpected(done.error());
  const Prefix* const wide = widest_of(history.decisions);
  if (wide == nullptr) return history;

  std::vector<Evidence> neighbours;
  const NetworkRange range = network_range(*wide);
  ledger.neighbours.bind(range.first, range.last, neighbour_scan, limit);
  if (const auto done = read_evidence(ledger.neighbours, neighbours); !done) return std::unexpected(done.error());
  for (Evidence& evidence : neighbours) {
    if (history.evidence.size() >= limit) break;
    if (evidence.source != address && wide->contains(evidence.source)) history.evidence.push_back(std::move(evidence));
  }
  return history;
}

DbResult<std::string> LedgerHistory::read_note(uint64_t id) {
  const auto connection = connected();
  if (!connection) return std::unexpected(connection.error());
  Statement& rows = (*connection)->note;
  rows.bind(id);
  std::string note;
  const auto done = read_rows(rows, [&](const Statement& row) { note = row.text(0); });
  if (!done) return std::unexpected(done.error());
  return note;
}

DbResult<std::vector<DecisionNote>> LedgerHistory::read_notes(uint64_t after, size_t limit) {
  const auto connection = connected();
  if (!connection) return std::unexpected(connection.error());
  Statement& rows = (*connection)->notes;
  rows.bind(after, limit);
  std::vector<DecisionNote> notes;
  const auto done = read_rows(rows, [&](const Statement& row) {
    notes.push_back({static_cast<uint64_t>(row.integer(0)), std::string(row.text(1))});
  });
  if (!done) return std::unexpected(done.error());
  return notes;
}

template <typename Value>
Result<Value> LedgerHistory::answer(DbResult<Value> read) {
  if (!read || !connection_->keep) connection_.reset();
  if (read) return std::move(*read);
  return std::unexpected(read.error().error());
}

Result<AddressHistory> LedgerHistory::history_of(const Address& address, size_t limit) {
  return answer(read_history(address, limit));
}

Result<std::string> LedgerHistory::note_of(uint64_t id) {
  return answer(read_note(id));
}

Result<std::vector<DecisionNote>> LedgerHistory::notes_after(uint64_t after, size_t limit) {
  return answer(read_notes(after, limit));
}

}  // namespace palang
