#include "source/journal.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include "archives.hpp"
#include "helpers.hpp"

namespace palang {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr const char* tool = "/usr/lib/systemd/systemd-journal-remote";

// Writes journal files from journald's export format.
class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access(tool, X_OK) != 0) GTEST_SKIP() << tool << " is not installed (package systemd-journal-remote)";
    if (!fs::exists("/etc/machine-id")) GTEST_SKIP() << "/etc/machine-id is missing";
  }
  struct Entry {
    std::string message;
    std::string fields = "_TRANSPORT=kernel\nSYSLOG_FACILITY=0\n";
  };
  void put(const std::string& name, const std::vector<Entry>& entries) {
    std::string text;
    for (const Entry& entry : entries) {
      ++written;
      text += fmt::format("__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID={:032x}\n{}", start + written,
                          written, 1, entry.fields);
      // The binary form: name, newline, 64-bit little-endian length, value.
      text += "MESSAGE\n";
      for (unsigned shift = 0; shift < 64; shift += 8)
        text.push_back(static_cast<char>(entry.message.size() >> shift & 0xff));
      text += entry.message + "\n\n";
    }
    spill(dir / "export", text);
    std::string output = "--output=" + (dir / "journal/") + name + ".journal";
    std::string program = tool;
    std::string input = dir / "export";
    std::vector<char*> arguments{program.data(), output.data(), input.data(), nullptr};
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (dir / "stderr").c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_EQ(posix_spawn(&child, tool, &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << slurp(dir / "stderr");
  }
  std::unique_ptr<Journal> journal(std::optional<Position> stored = {}) {
    JournalOptions options;
    options.directory = dir / "journal";
    auto opened = Journal::open(options, stored);
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }

  TempDir dir;
  uint64_t start = 1'736'640'000'000'000;
  uint64_t written = 0;
  bool made = fs::create_directory(dir / "journal");
};

using Lines = std::vector<std::string>;

TEST_F(JournalTest, GivesOnlyWhatTheKernelWrote) {
  put("a", {{"IN=eth0 SRC=203.0.113.9"},
            {"forged", "_TRANSPORT=syslog\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=kernel\n"},
            {"written to /dev/kmsg", "_TRANSPORT=kernel\nSYSLOG_FACILITY=1\nSYSLOG_IDENTIFIER=kernel\n"},
            {"forged", "_TRANSPORT=journal\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=kernel\nTRANSPORT=kernel\n"},
            {"last"}});
  const auto source = journal();
  ASSERT_TRUE(source);
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  ASSERT_EQ(batch.lines.size(), 2U);
  EXPECT_EQ(batch.lines[0].text, "IN=eth0 SRC=203.0.113.9");
  EXPECT_EQ(batch.lines[0].framing, Framing::kernel);
  EXPECT_EQ(batch.lines[0].at, WallTime{Duration{static_cast<int64_t>(start) + 1}});
  EXPECT_EQ(batch.lines[1].text, "last");
  EXPECT_EQ(source->counters().lines, 2U);
}

TEST_F(JournalTest, GivesTheServicesThatAreWantedByFieldsThatCannotBeForged) {
  const std::string sshd = "_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=sshd\n_COMM=sshd\n";
  put("a", {{"refused"},
            {"failed login", sshd + "_UID=0\n_SYSTEMD_UNIT=ssh.service\n"},
            {"not asked for", "_TRANSPORT=stdout\nSYSLOG_IDENTIFIER=cron\n_UID=0\n_SYSTEMD_UNIT=cron.service\n"},
            {"by a user", sshd + "_UID=1000\n_SYSTEMD_UNIT=user@1000.service\n"},
            {"from a session", sshd + "_UID=33\n_SYSTEMD_UNIT=session-4.scope\n"},
            {"by nobody known", sshd},
            {"as a service's user", "_TRANSPORT=stdout\n_COMM=sshd\n_UID=33\n_SYSTEMD_UNIT=x.service\n"},
            {"of root's session", sshd + "_UID=0\n_SYSTEMD_UNIT=session-1.scope\n"}});
  JournalOptions options;
  options.directory = dir / "journal";
  options.services = [](const LineOrigin& origin) { return origin.identifier == "sshd"; };
  auto source = std::move(*Journal::open(options, {}));
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  ASSERT_EQ(batch.lines.size(), 4U);
  EXPECT_EQ(batch.lines[0].framing, Framing::kernel);
  EXPECT_EQ(batch.lines[1].text, "failed login");
  EXPECT_EQ(batch.lines[1].framing, Framing::message);
  EXPECT_EQ(batch.lines[1].at, WallTime{Duration{static_cast<int64_t>(start) + 2}});
  ASSERT_NE(batch.lines[1].origin, nullptr);
  EXPECT_EQ(batch.lines[1].origin->unit, "ssh.service");
  EXPECT_EQ(batch.lines[1].origin->identifier, "sshd");
  EXPECT_EQ(batch.lines[1].origin->transport, "syslog");
  EXPECT_EQ(batch.lines[1].origin->uid, 0U);
  EXPECT_EQ(batch.lines[2].text, "as a service's user");
  EXPECT_EQ(batch.lines[2].origin->identifier, "sshd") << "the process, where it gave itself no name";
  EXPECT_EQ(batch.lines[3].text, "of root's session");

  options.kernel = false;
  options.since = WallTime{Duration{static_cast<int64_t>(start) + 7}};
  source = std::move(*Journal::open(options, {}));
  EXPECT_EQ(read_all(*source), (Lines{"as a service's user", "of root's session"}));
}

TEST_F(JournalTest, FollowsAndGoesOnAfterARestart) {
  put("a", {{"1"}, {"2"}});
  const auto source = journal();
  EXPECT_EQ(read_all(*source), (Lines{"1", "2"}));
  put("a", {{"3"}});
  EXPECT_TRUE(becomes_readable(source->fd()));
  const Position before = source->position();
  EXPECT_EQ(read_all(*source), Lines{"3"});
  EXPECT_TRUE(read_all(*source).empty());
  EXPECT_EQ(read_all(*journal(before)), Lines{"3"});
  EXPECT_TRUE(read_all(*journal(source->position())).empty());
}

TEST_F(JournalTest, NewFilesAndRemovedOnes) {
  put("a", {{"1"}});
  const auto source = journal();
  EXPECT_EQ(read_all(*source), Lines{"1"});
  put("b", {{"2"}});
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"2"});
  fs::remove(dir / "journal/a.journal");
  put("b", {{"3"}});
  EXPECT_TRUE(becomes_readable(source->fd()));
  EXPECT_EQ(read_all(*source), Lines{"3"});
}

TEST_F(JournalTest, AVanishedCursorGoesOnWithWhatCameAfter) {
  put("a", {{"1"}, {"2"}});
  put("b", {{"3"}});
  const auto source = journal();
  Position position = source->position();
  EXPECT_EQ(read_all(*source).size(), 3U);
  {
    JournalOptions only_a;
    fs::create_directory(dir / "only_a");
    fs::copy_file(dir / "journal/a.journal", dir / "only_a/a.journal");
    only_a.directory = dir / "only_a";
    const auto part = std::move(*Journal::open(only_a, {}));
    EXPECT_EQ(read_all(*part), (Lines{"1", "2"}));
    position = part->position();
  }
  fs::remove(dir / "journal/a.journal");
  EXPECT_EQ(read_all(*journal(position)), Lines{"3"});
}

TEST_F(JournalTest, APositionThatIsNoCursorBeginsAtTheOldest) {
  put("a", {{"1"}});
  EXPECT_EQ(read_all(*journal(Position{"journald", "nonsense"})), Lines{"1"});
}

TEST_F(JournalTest, LongAndBinaryMessages) {
  const std::string binary("a\0b\nc\xff", 6);
  put("a", {{std::string(70'000, 'x')}, {binary}});
  const auto source = journal();
  EXPECT_EQ(read_all(*source), (Lines{std::string(64 * 1024, 'x'), binary}));
  EXPECT_EQ(source->counters().cut_lines, 1U);
}

TEST_F(JournalTest, ManyEntriesComeInBatches) {
  std::vector<Entry> entries;
  for (uint64_t number = 0; number < 9'000; ++number) entries.push_back({numbered(number)});
  put("a", entries);
  const auto source = journal();
  Source::Batch batch;
  ASSERT_TRUE(source->read(batch));
  EXPECT_TRUE(batch.more);
  Sequence sequence;
  for (const RawLine& line : batch.lines) sequence.take(line.text);
  sequence.take(read_all(*journal(source->position())));
  EXPECT_EQ(sequence.next(), 9'000U);
}

TEST_F(JournalTest, AMissingDirectoryIsAnError) {
  JournalOptions options;
  options.directory = dir / "none";
  const auto opened = Journal::open(options, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().text, "open the journal: no such file or directory (ENOENT)");
}

}  // namespace
}  // namespace palang
