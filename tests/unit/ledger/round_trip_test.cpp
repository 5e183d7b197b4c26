#include <gmock/gmock.h>
#include <sys/stat.h>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using RoundTrip = LedgerTest;

mode_t rights(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

TEST_F(RoundTrip, AMissingDirectoryAndFileAreMadeForThePrivilegedOnly) {
  const std::string path = directory_ + "/lib/palang.db";
  const OpenedLedger opened = open_at(path);
  EXPECT_TRUE(opened.snapshot.fresh);
  EXPECT_EQ(opened.snapshot.last_id, 0U);
  EXPECT_THAT(opened.trouble, IsEmpty());
  EXPECT_EQ(rights(directory_ + "/lib"), 0750U);
  EXPECT_EQ(rights(path), 0640U);
  EXPECT_EQ(rights(path + ".lock"), 0640U);
  EXPECT_EQ(rights(path + "-wal"), 0640U);
}

TEST_F(RoundTrip, EverythingOfADecisionComesBack) {
  Decision v4 = decision(7, "192.0.2.0/24");
  v4.proven_at = noon + 3s;
  v4.count = 12;
  v4.port = 8083;
  v4.protocol = Protocol::udp;
  v4.rule = Rule::portscan;
  v4.scope = Scope::full;
  v4.origin = Origin::feed;
  v4.proof = Proof::application;
  v4.repeat = 4;
  Decision v6 = decision(8, "2001:db8:1:2::/64", noon + 1us, Duration::max() / 4);
  v6.protocol = Protocol::icmp6;
  v6.rule = Rule::manual;
  v6.origin = Origin::manual;
  v6.proof = Proof::handshake;
  {
    const OpenedLedger opened = open();
    opened.ledger->commit(batch_of({change(ChangeKind::added, v4), change(ChangeKind::added, v6, noon, "a note")}));
    ASSERT_SAVED(*opened.ledger);
  }
  const OpenedLedger again = open();
  EXPECT_FALSE(again.snapshot.fresh);
  EXPECT_EQ(again.snapshot.last_id, 8U);
  EXPECT_EQ(described(again.snapshot.active), described({v4, v6}));
  EXPECT_EQ(again.snapshot.active[1].from, noon + 1us);
  EXPECT_EQ(LedgerHistory(path_).note_of(8).value(), "a note");
}

TEST_F(RoundTrip, PendingPositionsAndAllowedComeBackAndAreReplacedOrForgotten) {
  const Prefix scanner = prefix("2001:db8::7");
  const Prefix forgotten = prefix("192.0.2.9");
  {
    const OpenedLedger opened = open();
    LedgerBatch batch;
    batch.pending = {{Rule::portscan, scanner, {noon}, {22}}, {Rule::blocked, forgotten, {noon}, {}}};
    batch.positions = {{"kmsg", "1"}, {"file:/var/log/kern.log", "inode 5 at 100"}};
    batch.allowed = {{prefix("198.51.100.0/24"), noon, WallTime::max(), "the office"},
                     {prefix("203.0.113.1"), noon, noon + 1h, ""},
                     {prefix("203.0.113.2"), noon, noon + one_day, "until tomorrow"}};
    opened.ledger->commit(batch);
    LedgerBatch next;
    next.pending = {{Rule::portscan, scanner, {noon, noon + 5us}, {22, 65535}}, {Rule::blocked, forgotten, {}, {}}};
    next.positions = {{"kmsg", "2"}};
    next.disallowed = {prefix("203.0.113.2")};
    opened.ledger->commit(next);
    ASSERT_SAVED(*opened.ledger);
  }
  const Snapshot found = open(noon + 2h).snapshot;
  ASSERT_THAT(found.pending, SizeIs(1));
  EXPECT_EQ(found.pending[0].rule, Rule::portscan);
  EXPECT_EQ(found.pending[0].subject, scanner);
  EXPECT_THAT(found.pending[0].times, ElementsAre(noon, noon + 5us));
  EXPECT_THAT(found.pending[0].values, ElementsAre(22, 65535));
  ASSERT_THAT(found.positions, SizeIs(2));
  EXPECT_EQ(found.positions[0].value, "inode 5 at 100");
  EXPECT_EQ(found.positions[1].value, "2");
  ASSERT_THAT(found.allowed, SizeIs(1)) << "the second one's hour is over";
  EXPECT_EQ(found.allowed[0].prefix, prefix("198.51.100.0/24"));
  EXPECT_EQ(found.allowed[0].until, WallTime::max());
  EXPECT_EQ(found.allowed[0].note, "the office");
}

TEST_F(RoundTrip, ChangesOfADecisionAreFollowed) {
  Decision moved = decision(1, "192.0.2.1");
  {
    const OpenedLedger opened = open();
    opened.ledger->commit(batch_of(
        {change(ChangeKind::added, moved, noon, "first"), change(ChangeKind::added, decision(2, "192.0.2.2")),
         change(ChangeKind::added, decision(3, "192.0.2.3")), change(ChangeKind::added, decision(4, "192.0.2.4"))}));
    moved.until += one_day;
    moved.scope = Scope::full;
    opened.ledger->commit(batch_of({change(ChangeKind::moved, moved, noon + 1s),
                                    change(ChangeKind::lifted, decision(2, "192.0.2.2"), noon + 2s),
                                    change(ChangeKind::absorbed, decision(3, "192.0.2.3"), noon + 3s),
                                    change(ChangeKind::evicted, decision(4, "192.0.2.4"), noon + 4s)}));
    ASSERT_SAVED(*opened.ledger);
  }
  const Snapshot found = open(noon + 1min).snapshot;
  EXPECT_EQ(described(found.active), described({moved}));
  ASSERT_THAT(found.past, SizeIs(3)) << "the active one stands for itself";
  EXPECT_EQ(found.past[0].until, noon + 2s) << "when it really ended";

  LedgerHistory history(path_);
  EXPECT_EQ(history.note_of(1).value(), "first") << "a move without a note keeps the old one";
  EXPECT_EQ(history.history_of(address("192.0.2.1"), 9)->decisions.at(0).how_it_ended, "");
  EXPECT_EQ(history.history_of(address("192.0.2.2"), 9)->decisions.at(0).how_it_ended, "lifted");
  EXPECT_EQ(history.history_of(address("192.0.2.3"), 9)->decisions.at(0).how_it_ended, "absorbed");
  EXPECT_EQ(history.history_of(address("192.0.2.4"), 9)->decisions.at(0).how_it_ended, "evicted");
}

TEST_F(RoundTrip, ABatchMayComeTwiceAndAPrefixHasOneActiveDecision) {
  const OpenedLedger opened = open();
  LedgerBatch batch = added(decision(1, "192.0.2.1"));
  batch.positions = {{"kmsg", "5"}};
  opened.ledger->commit(batch);
  opened.ledger->commit(batch);
  opened.ledger->commit(added(decision(2, "192.0.2.1", noon + 1s)));
  ASSERT_SAVED(*opened.ledger);
  EXPECT_EQ(number("SELECT count(*) FROM decisions"), 2);
  EXPECT_EQ(number("SELECT count(*) FROM decisions WHERE ended_at IS NULL"), 1);
  EXPECT_EQ(number("SELECT id FROM decisions WHERE ended_at IS NULL"), 2);
}

TEST_F(RoundTrip, DecisionsWhoseTimeIsOverAreMarkedWhenOpened) {
  {
    const OpenedLedger opened = open();
    std::vector<Change> changes;
    for (uint64_t id = 1; id <= 2500; ++id)  // more than one portion
      changes.push_back(
          change(ChangeKind::added, decision(id, Address::v4(0xc6120000U + static_cast<uint32_t>(id)).text())));
    changes.push_back(change(ChangeKind::added, decision(2501, "192.0.2.1", noon, one_day * 3)));
    opened.ledger->commit(batch_of(std::move(changes)));
    ASSERT_SAVED(*opened.ledger);
  }
  const OpenedLedger again = open(noon + one_day);
  EXPECT_THAT(again.snapshot.active, SizeIs(1));
  EXPECT_THAT(again.snapshot.past, SizeIs(2500)) << "they still count for doubling";
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (number("SELECT count(*) FROM decisions WHERE ended_at IS NULL") > 1)
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  const auto ended = LedgerHistory(path_).history_of(address("198.18.0.1"), 5);
  ASSERT_TRUE(ended) << ended.error().text;
  EXPECT_EQ(ended->decisions.at(0).how_it_ended, "ended");
  EXPECT_EQ(ended->decisions.at(0).decision.until, noon + one_day);
}

TEST_F(RoundTrip, ThePastReachesBackAsFarAsAskedOldestFirst) {
  {
    const OpenedLedger opened = open();
    const Decision old = decision(1, "192.0.2.1", noon - one_day * 95);
    const Decision late = decision(2, "192.0.2.2", noon - one_day);
    const Decision early = decision(3, "192.0.2.3", noon - one_day * 80);
    opened.ledger->commit(
        batch_of({change(ChangeKind::ended, old, old.until), change(ChangeKind::ended, late, late.until),
                  change(ChangeKind::ended, early, early.until)}));
    ASSERT_SAVED(*opened.ledger);
  }
  const Snapshot found = open().snapshot;
  ASSERT_THAT(found.past, SizeIs(2));
  EXPECT_EQ(found.past[0].prefix, prefix("192.0.2.3"));
  EXPECT_EQ(found.past[1].prefix, prefix("192.0.2.2"));
}

TEST_F(RoundTrip, NamesOfAnotherVersionAndNonsenseAreSurvived) {
  {
    const OpenedLedger opened = open();
    opened.ledger->commit(batch_of(
        {change(ChangeKind::added, decision(1, "192.0.2.1")), change(ChangeKind::added, decision(2, "192.0.2.2"))}));
    ASSERT_SAVED(*opened.ledger);
  }
  execute(
      "UPDATE decisions SET rule='telepathy', scope='half', origin='moon', proof='oath', protocol='sctp', port=99999"
      " WHERE id=1;"
      "UPDATE decisions SET prefix='192.0.2.300' WHERE id=2;"
      "INSERT INTO pending (rule, address, newest, times, ports) VALUES ('blocked','192.0.2.8',0,'x','');"
      "INSERT INTO allowed VALUES ('everyone', 0, NULL, '')");
  const OpenedLedger again = open();
  ASSERT_THAT(again.snapshot.active, SizeIs(1));
  const Decision& mildest = again.snapshot.active[0];
  EXPECT_EQ(rule_name(mildest.rule), "telepathy") << "a rule that is gone keeps its name";
  EXPECT_EQ(mildest.scope, Scope::quiet);
  EXPECT_EQ(mildest.origin, Origin::local);
  EXPECT_EQ(mildest.proof, Proof::forgeable);
  EXPECT_EQ(mildest.protocol, Protocol::other);
  EXPECT_EQ(mildest.port, 65535);
  EXPECT_THAT(again.snapshot.pending, IsEmpty());
  EXPECT_THAT(again.notices, ElementsAre(HasSubstr("3 rows make no sense")));
}

TEST_F(RoundTrip, AnAdminCanReadTheBansInTheShell) {
  const OpenedLedger opened = open();
  opened.ledger->commit(batch_of({change(ChangeKind::added, decision(1, "192.0.2.0/24"), noon, "noisy")}));
  ASSERT_SAVED(*opened.ledger);
  EXPECT_EQ(number("SELECT count(*) FROM bans WHERE prefix = '192.0.2.0/24' AND since_utc = '2025-01-12 12:00:00'"
                   " AND until_utc = '2025-01-13 12:00:00' AND scope = 'quiet' AND note = 'noisy'"),
            1);
}

TEST_F(RoundTrip, AResyncReplacesTheState) {
  {
    const OpenedLedger opened = open();
    LedgerBatch batch = batch_of({change(ChangeKind::added, decision(1, "192.0.2.1"), noon, "kept"),
                                  change(ChangeKind::added, decision(2, "192.0.2.2"))});
    batch.positions = {{"kmsg", "1"}, {"gone", "1"}};
    batch.pending = {{Rule::blocked, Prefix::of(address("192.0.2.9")), {noon}, {}}};
    batch.allowed = {{prefix("198.51.100.1"), noon, WallTime::max(), ""}};
    opened.ledger->commit(batch);
    Resync whole;
    whole.at = noon + 1min;
    whole.active = {decision(1, "192.0.2.1", noon, one_day * 2), decision(3, "192.0.2.3")};
    whole.positions = {{"kmsg", "9"}};
    opened.ledger->replace(whole);
    ASSERT_SAVED(*opened.ledger);
  }
  const Snapshot found = open(noon + 1min).snapshot;
  EXPECT_EQ(described(found.active),
            described({decision(1, "192.0.2.1", noon, one_day * 2), decision(3, "192.0.2.3")}));
  EXPECT_THAT(found.pending, IsEmpty());
  EXPECT_THAT(found.allowed, IsEmpty());
  ASSERT_THAT(found.positions, SizeIs(1));
  EXPECT_EQ(found.positions[0].value, "9");
  LedgerHistory history(path_);
  EXPECT_EQ(history.note_of(1).value(), "kept");
  const auto given_up = history.history_of(address("192.0.2.2"), 5);
  EXPECT_EQ(given_up->decisions.at(0).how_it_ended, "lifted");
  EXPECT_EQ(given_up->decisions.at(0).decision.until, noon + 1min);
}

}  // namespace
}  // namespace palang
