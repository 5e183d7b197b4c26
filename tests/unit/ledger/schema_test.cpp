#include "ledger/schema.hpp"

#include <gmock/gmock.h>

#include "ledger/writer.hpp"
#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Schema = LedgerTest;

TEST_F(Schema, AnEmptyFileIsBroughtToThisVersion) {
  std::ofstream(path_).close();
  const OpenedLedger opened = open();
  EXPECT_TRUE(opened.snapshot.fresh);
  EXPECT_EQ(number("PRAGMA user_version"), ledger_schema_version);
  EXPECT_EQ(number("PRAGMA application_id"), 0x706c6e67);
  EXPECT_EQ(number("SELECT value FROM meta WHERE name = 'created'"), noon.time_since_epoch().count());
  EXPECT_THAT(files_set_aside(), IsEmpty());
}

TEST_F(Schema, AMigrationThatFailsLeavesTheFileAsItWas) {
  {
    std::ofstream(path_).close();
    auto database = Database::open(path_, Database::Mode::write);
    ASSERT_TRUE(database) << database.error().text;
    ASSERT_TRUE(database->execute("PRAGMA max_page_count = 3"));  // too small for all tables
    const auto migrated = migrate(*database, noon);
    ASSERT_FALSE(migrated);
    EXPECT_EQ(migrated.error().kind, DbError::Kind::passing);
    EXPECT_EQ(migrated.error().text, "write to " + path_ + ": database or disk is full (SQLITE_FULL)");
  }
  EXPECT_EQ(number("PRAGMA user_version"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM sqlite_master"), 0);
}

TEST_F(Schema, ANewerPalangsLedgerIsRefusedUntouched) {
  {
    const OpenedLedger opened = open();
  }
  execute("PRAGMA user_version = 1000");
  const auto refused = open_ledger(path_, noon, one_day);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text,
            "use " + path_ + " as ledger: a newer palang wrote it (schema 1000, this one knows up to 1)");
  EXPECT_EQ(number("PRAGMA user_version"), 1000);
  EXPECT_THAT(files_set_aside(), IsEmpty());
}

TEST_F(Schema, AnotherProgramsDatabaseIsRefusedUntouched) {
  std::ofstream(path_).close();
  execute("CREATE TABLE accounts (name TEXT)");
  const auto refused = open_ledger(path_, noon, one_day);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("it is the database of another program"));
  EXPECT_EQ(number("SELECT count(*) FROM sqlite_master"), 1);
  EXPECT_THAT(files_set_aside(), IsEmpty());
}

TEST_F(Schema, ABatchThatFailsHalfwayIsRolledBackWhole) {
  {
    const OpenedLedger opened = open();
  }
  auto database = Database::open(path_, Database::Mode::write);
  ASSERT_TRUE(database) << database.error().text;
  auto writer = Writer::prepare(*database, {});
  ASSERT_TRUE(writer) << writer.error().text;
  const auto pages = database->number("PRAGMA page_count");
  ASSERT_TRUE(pages);
  ASSERT_TRUE(database->execute(("PRAGMA max_page_count = " + std::to_string(*pages + 2)).c_str()));
  LedgerBatch batch;
  for (uint64_t id = 1; id <= 1000; ++id)
    batch.changes.push_back(change(ChangeKind::added, decision(id, Address::v4(static_cast<uint32_t>(id)).text())));
  {
    auto transaction = Transaction::begin(*database);
    ASSERT_TRUE(transaction);
    const auto applied = writer->apply(batch);
    ASSERT_FALSE(applied);
    EXPECT_THAT(applied.error().text, HasSubstr("(SQLITE_FULL)"));
  }
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 0);

  ASSERT_TRUE(database->execute("PRAGMA max_page_count = 100000"));
  auto transaction = Transaction::begin(*database);
  ASSERT_TRUE(transaction) << transaction.error().text;
  ASSERT_TRUE(writer->apply(batch)) << "the same statements go on working";
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 1000);
}

}  // namespace
}  // namespace palang
