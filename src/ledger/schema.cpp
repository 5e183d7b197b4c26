#include "ledger/schema.hpp"

#include <fmt/format.h>

namespace palang {

namespace {

constexpr int64_t application_id = 0x706c6e67;  // "plng"; file(1) and others look at it

// Comments inside a CREATE stay in the file: `.schema` shows them to an admin.
constexpr const char* migrations[] = {R"sql(
CREATE TABLE decisions (  -- times are microseconds since 1970, UTC: datetime(since / 1000000, 'unixepoch')
  id        INTEGER PRIMARY KEY,
  prefix    TEXT NOT NULL,
  since     INTEGER NOT NULL,
  until     INTEGER NOT NULL,
  proven_at INTEGER NOT NULL,  -- last evidence that can't be forged; as since where there was none
  count     INTEGER NOT NULL,  -- events, or distinct ports
  port      INTEGER NOT NULL,
  protocol  TEXT NOT NULL,
  rule      TEXT NOT NULL,
  scope     TEXT NOT NULL,
  origin    TEXT NOT NULL,
  proof     TEXT NOT NULL,
  repeat    INTEGER NOT NULL,  -- earlier decisions for the same prefix
  note      TEXT,
  how       TEXT,              -- how it ended: ended, lifted, absorbed, evicted; null: active
  ended_at  INTEGER            -- null: active
);
CREATE INDEX decisions_of_prefix ON decisions (prefix);
CREATE INDEX decisions_ended ON decisions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX decisions_noted ON decisions (id) WHERE note IS NOT NULL;
CREATE TABLE evidence (
  id      INTEGER PRIMARY KEY,
  network INTEGER NOT NULL,  -- of the address, to find neighbours: IPv4 as a number; IPv6: its first 64 bits, less 2^63
  address TEXT NOT NULL,
  at      INTEGER NOT NULL,
  rule    TEXT NOT NULL,
  line    TEXT NOT NULL
);
CREATE INDEX evidence_of_network ON evidence (network, at);
CREATE TABLE pending (  -- what detectors count of addresses and networks that are not banned yet
  rule    TEXT NOT NULL,
  address TEXT NOT NULL,
  newest  INTEGER NOT NULL,
  times   TEXT NOT NULL,  -- oldest first, separated by spaces
  ports   TEXT NOT NULL,  -- of each time, likewise: its port, attempts, hash of account or path, or fill of a bucket
  UNIQUE (rule, address)
);
CREATE TABLE positions (  -- how far each source has been read
  source TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE allowed (
  prefix TEXT PRIMARY KEY,
  since  INTEGER NOT NULL,
  until  INTEGER,  -- null: without end
  note   TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIEW bans AS  -- active decisions, for people
  SELECT id, prefix, scope, rule, origin, proof, count, protocol, port, repeat,
         datetime(since / 1000000, 'unixepoch') AS since_utc, datetime(until / 1000000, 'unixepoch') AS until_utc, note
  FROM decisions WHERE ended_at IS NULL;
)sql"};
static_assert(std::size(migrations) == ledger_schema_version);

DbFailure refuse(std::string text) {
  return DbFailure(DbError{DbError::Kind::refused, std::move(text)});
}

DbResult<void> run_step(Database& database, int64_t from, WallTime now) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = database.execute(migrations[from]); !done) return done;
  if (from == 0) {
    const std::string birth =
        fmt::format("PRAGMA application_id = {}; INSERT INTO meta VALUES ('created', {}), ('probes', 0)",
                    application_id, now.time_since_epoch().count());
    if (auto done = database.execute(birth.c_str()); !done) return done;
  }
  if (auto done = database.execute(fmt::format("PRAGMA user_version = {}", from + 1).c_str()); !done) return done;
  return transaction->commit();
}

}  // namespace

// No mmap_size: a damaged or truncated file must be an error here, not a SIGBUS.
DbResult<void> configure_writer(Database& database) {
  return database.execute(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = NORMAL;"       // kill -9 loses nothing; a power cut may lose the last transactions, whole
      "PRAGMA wal_autocheckpoint = 4000;"  // pages, 16 MiB
      "PRAGMA journal_size_limit = 16777216;"  // bytes
      "PRAGMA cache_size = -16000;"            // KiB
      "PRAGMA temp_store = MEMORY");
}

DbResult<void> configure_reader(Database& database) {
  database.fold_log_on_close(false);
  return database.execute("PRAGMA query_only = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY");
}

DbResult<int64_t> schema_version_of(Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return version;
  const auto application = database.number("PRAGMA application_id");
  if (!application) return application;
  if (*application != application_id) {
    const auto objects = database.number("SELECT count(*) FROM sqlite_master");
    if (!objects) return objects;
    if (*version != 0 || *application != 0 || *objects != 0)
      return refuse(fmt::format("use {} as ledger: it is the database of another program", database.path()));
    return 0;
  }
  if (*version > ledger_schema_version)
    return refuse(fmt::format("use {} as ledger: a newer palang wrote it (schema {}, this one knows up to {})",
                              database.path(), *version, ledger_schema_version));
  return version;
}

DbResult<bool> migrate(Database& database, WallTime now) {
  const auto version = schema_version_of(database);
  if (!version) return std::unexpected(version.error());
  for (int64_t from = *version; from < ledger_schema_version; ++from)
    if (const auto done = run_step(database, from, now); !done) return std::unexpected(done.error());
  return *version == 0;
}

}  // namespace palang
