#include <gmock/gmock.h>

#include "unit/ledger/fixture.hpp"

namespace palang {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using History = LedgerTest;

std::vector<std::string> lines(const AddressHistory& history) {
  std::vector<std::string> all;
  for (const Evidence& evidence : history.evidence) all.push_back(evidence.line);
  return all;
}

std::vector<std::string> prefixes(const AddressHistory& history) {
  std::vector<std::string> all;
  for (const PastView& view : history.decisions) all.push_back(view.decision.prefix.text());
  return all;
}

Evidence line(std::string_view source, Duration after, std::string text) {
  return {noon + after, address(source), Rule::blocked, std::move(text)};
}

TEST_F(History, FindsEveryDecisionThatCoveredTheAddressNewestFirst) {
  const OpenedLedger opened = open();
  opened.ledger->commit(batch_of({change(ChangeKind::added, decision(1, "192.0.2.7", noon)),
                                  change(ChangeKind::lifted, decision(1, "192.0.2.7", noon), noon + 1h),
                                  change(ChangeKind::added, decision(2, "192.0.2.0/24", noon + 2h), noon, "the lot"),
                                  change(ChangeKind::added, decision(3, "192.0.2.8", noon)),
                                  change(ChangeKind::added, decision(4, "192.0.3.0/24", noon)),
                                  change(ChangeKind::added, decision(5, "0.0.0.0/0", noon + 3h)),
                                  change(ChangeKind::added, decision(6, "::/0", noon + 3h)),
                                  change(ChangeKind::added, decision(7, "192.0.2.7", noon + 4h))}));
  ASSERT_SAVED(*opened.ledger);
  LedgerHistory history(path_);
  const auto found = history.history_of(address("192.0.2.7"), 10);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(prefixes(*found), ElementsAre("192.0.2.7", "0.0.0.0/0", "192.0.2.0/24", "192.0.2.7"));
  EXPECT_EQ(found->decisions[2].note, "the lot");
  EXPECT_EQ(found->decisions[3].how_it_ended, "lifted");
  EXPECT_EQ(found->decisions[3].decision.until, noon + 1h);
  EXPECT_THAT(prefixes(*history.history_of(address("192.0.2.7"), 2)), ElementsAre("192.0.2.7", "0.0.0.0/0"));
  EXPECT_THAT(prefixes(*history.history_of(address("198.51.100.1"), 1)), ElementsAre("0.0.0.0/0"));
}

TEST_F(History, ShowsEvidenceOfTheAddressThenOfItsNeighboursInTheBan) {
  const OpenedLedger opened = open();
  LedgerBatch batch = added(decision(1, "192.0.2.0/24"));
  batch.evidence = {line("192.0.2.1", 1s, "first of .1"),  line("192.0.2.255", 2s, "of .255"),
                    line("192.0.2.0", 3s, "of .0"),        line("192.0.3.0", 4s, "of another network"),
                    line("192.0.1.255", 5s, "of another"), line("192.0.2.1", 6s, "second of .1")};
  opened.ledger->commit(batch);
  ASSERT_SAVED(*opened.ledger);
  LedgerHistory history(path_);
  const auto found = history.history_of(address("192.0.2.1"), 10);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(lines(*found), ElementsAre("second of .1", "first of .1", "of .0", "of .255"));
  EXPECT_EQ(found->evidence[0].at, noon + 6s);
  EXPECT_THAT(lines(*history.history_of(address("192.0.2.1"), 3)), ElementsAre("second of .1", "first of .1", "of .0"));
  EXPECT_THAT(lines(*history.history_of(address("192.0.3.0"), 10)), ElementsAre("of another network"));
}

TEST_F(History, KnowsTheNeighboursInIpv6Networks) {
  const OpenedLedger opened = open();
  LedgerBatch batch = batch_of({change(ChangeKind::added, decision(1, "2001:db8:0:7::/64")),
                                change(ChangeKind::added, decision(2, "2001:db8:aa00::/40")),
                                change(ChangeKind::added, decision(3, "2001:db8:1::8/125"))});
  batch.evidence = {line("2001:db8:0:7::1", 1s, "a"),       line("2001:db8:0:7:ffff::", 2s, "b"),
                    line("2001:db8:0:8::1", 3s, "outside"), line("2001:db8:aaff:ffff::1", 4s, "c"),
                    line("2001:db8:aa00::1", 5s, "d"),      line("2001:db8:ab00::1", 6s, "outside"),
                    line("2001:db8:1::9", 7s, "e"),         line("2001:db8:1::f", 8s, "f"),
                    line("2001:db8:1::10", 9s, "outside")};
  opened.ledger->commit(batch);
  ASSERT_SAVED(*opened.ledger);
  LedgerHistory history(path_);
  EXPECT_THAT(lines(*history.history_of(address("2001:db8:0:7::1"), 10)), ElementsAre("a", "b"));
  EXPECT_THAT(lines(*history.history_of(address("2001:db8:aa00::1"), 10)), ElementsAre("d", "c"));
  EXPECT_THAT(lines(*history.history_of(address("2001:db8:1::9"), 10)), ElementsAre("e", "f"));
}

TEST_F(History, EvidenceIsKeptAsItCameButNotLongerThanAgreed) {
  const OpenedLedger opened = open();
  const std::string binary("\x00\xff\x1b[2J\n'; DROP TABLE evidence; --", 32);
  LedgerBatch batch;
  batch.evidence = {line("192.0.2.1", 2s, binary), line("192.0.2.1", 1s, std::string(10'000, 'x'))};
  opened.ledger->commit(batch);
  ASSERT_SAVED(*opened.ledger);
  const auto found = LedgerHistory(path_).history_of(address("192.0.2.1"), 10);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(lines(*found), ElementsAre(binary, std::string(512, 'x')));
}

TEST_F(History, PagesTheNotesOfActiveDecisions) {
  const OpenedLedger opened = open();
  opened.ledger->commit(batch_of({change(ChangeKind::added, decision(1, "192.0.2.1"), noon, "one"),
                                  change(ChangeKind::added, decision(2, "192.0.2.2")),
                                  change(ChangeKind::added, decision(3, "192.0.2.3"), noon, "three"),
                                  change(ChangeKind::added, decision(4, "192.0.2.4"), noon, "four"),
                                  change(ChangeKind::lifted, decision(4, "192.0.2.4"), noon, "a mistake")}));
  ASSERT_SAVED(*opened.ledger);
  LedgerHistory history(path_);
  const auto first = history.notes_after(0, 1);
  ASSERT_TRUE(first) << first.error().text;
  ASSERT_THAT(*first, SizeIs(1));
  EXPECT_EQ(first->at(0).id, 1U);
  EXPECT_EQ(first->at(0).note, "one");
  EXPECT_EQ(history.notes_after(1, 10)->at(0).note, "three");
  EXPECT_THAT(*history.notes_after(3, 10), IsEmpty());
  EXPECT_EQ(history.note_of(4).value(), "a mistake");
  EXPECT_EQ(history.note_of(2).value(), "");
  EXPECT_EQ(history.note_of(99).value(), "");
}

TEST_F(History, SeesEachCommitAndAFileThatWasReplaced) {
  LedgerHistory history(path_);
  EXPECT_FALSE(history.note_of(1)) << "there is no ledger yet";
  {
    const OpenedLedger opened = open();
    opened.ledger->commit(batch_of({change(ChangeKind::added, decision(1, "192.0.2.1"), noon, "old")}));
    ASSERT_SAVED(*opened.ledger);
    EXPECT_EQ(history.note_of(1).value(), "old");
    opened.ledger->commit(batch_of({change(ChangeKind::moved, decision(1, "192.0.2.1"), noon, "new")}));
    ASSERT_SAVED(*opened.ledger);
    EXPECT_EQ(history.note_of(1).value(), "new");
  }
  std::filesystem::rename(path_, path_ + ".away");
  const OpenedLedger opened = open();
  EXPECT_EQ(history.note_of(1).value(), "");
}

}  // namespace
}  // namespace palang
