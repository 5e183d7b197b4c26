#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "ledger/database.hpp"
#include "ledger/history.hpp"
#include "ledger/ledger.hpp"

namespace palang {

inline constexpr WallTime noon{Duration{1'736'683'200'000'000}};  // 2025-01-12T12:00:00Z
inline constexpr Duration patience = 10s;                         // bounds every wait; none takes long

// Retries without delay worth mentioning, so that tests need not wait.
inline LedgerLimits quick_limits() {
  LedgerLimits limits;
  limits.first_retry = 1ms;
  limits.longest_retry = 5ms;
  return limits;
}

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "palang-ledger-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = name + "/palang.db";
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] OpenedLedger open(WallTime now = noon, LedgerLimits limits = quick_limits()) const {
    return open_at(path_, now, limits);
  }
  [[nodiscard]] static OpenedLedger open_at(const std::string& path, WallTime now = noon,
                                            LedgerLimits limits = quick_limits()) {
    auto opened = open_ledger(path, now, one_day * 90, limits);
    if (!opened) {
      ADD_FAILURE() << opened.error().text;
      return {};
    }
    return std::move(*opened);
  }

  // A number out of the file, read on a connection of its own.
  [[nodiscard]] int64_t number(const std::string& sql) const {
    auto database = Database::open(path_, Database::Mode::read);
    const auto result = database ? database->number(sql) : std::unexpected(database.error());
    if (!result) ADD_FAILURE() << result.error().text;
    return result.value_or(-1);
  }
  void execute(const std::string& sql) const {
    auto database = Database::open(path_, Database::Mode::write);
    ASSERT_TRUE(database) << database.error().text;
    const auto done = database->execute(sql.c_str());
    ASSERT_TRUE(done) << done.error().text;
  }

  [[nodiscard]] std::vector<std::string> files_set_aside() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      if (entry.path().filename().string().starts_with("palang.db.corrupt-")) names.push_back(entry.path());
    return names;
  }

  std::string directory_;
  std::string path_;
};

inline Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}
inline Address address(std::string_view text) {
  return Address::parse(text).value();
}

inline Decision decision(uint64_t id, std::string_view text, WallTime from = noon, Duration length = one_day) {
  Decision made;
  made.id = id;
  made.prefix = prefix(text);
  made.from = made.proven_at = from;
  made.until = from + length;
  return made;
}

inline Change change(ChangeKind kind, const Decision& decision, WallTime at = noon, std::string note = {}) {
  return Change{kind, decision, at, std::move(note)};
}

inline LedgerBatch batch_of(std::vector<Change> changes) {
  LedgerBatch batch;
  batch.changes = std::move(changes);
  return batch;
}

inline LedgerBatch added(const Decision& decision) {
  return batch_of({change(ChangeKind::added, decision)});
}

#define ASSERT_SAVED(ledger)                      \
  do {                                            \
    const auto saved_ = (ledger).flush(patience); \
    ASSERT_TRUE(saved_) << saved_.error().text;   \
  } while (false)

// Until the ledger's health, or its wish for a resync, is as expected; false after too long.
template <typename Expected>
[[nodiscard]] bool eventually(Ledger& ledger, Expected&& expected) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (expected(ledger.health())) return true;
    pollfd wait{ledger.health_fd(), POLLIN, 0};
    (void)::poll(&wait, 1, 100);
  }
  return false;
}

// All that makes up a decision, to be compared and printed.
inline std::string describe(const Decision& d) {
  return std::to_string(d.id) + " " + d.prefix.text() + " " + format_utc(d.from) + " " + format_utc(d.until) + " " +
         format_utc(d.proven_at) + " " + std::to_string(d.count) + " " + std::to_string(d.port) + " " +
         std::string(protocol_name(d.protocol)) + " " + std::string(rule_name(d.rule)) + " " +
         std::string(scope_name(d.scope)) + " " + std::string(origin_name(d.origin)) + " " +
         std::string(proof_name(d.proof)) + " " + std::to_string(d.repeat);
}

inline std::vector<std::string> described(const std::vector<Decision>& decisions) {
  std::vector<std::string> lines;
  for (const Decision& d : decisions) lines.push_back(describe(d));
  return lines;
}

}  // namespace palang
