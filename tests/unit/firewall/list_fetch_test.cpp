#include "firewall/list_fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "firewall/list_file.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

using testing::HasSubstr;
using Outcome = FetchedList::Outcome;

// A directory of its own, and the list that lies behind a URL.
class ListFetch : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/lists-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    list_.name = "drop";
    list_.url = "file://" + directory_ + "/origin";
    list_.refresh = one_day;
    options_.directory = directory_;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void publish(const std::string& text) const { std::ofstream(directory_ + "/origin") << text; }
  [[nodiscard]] size_t entries() const {
    const auto content = read_list(list_, directory_);
    return content ? content->prefixes.size() + content->hosts.size() : 999;
  }

  std::string directory_;
  FirewallList list_;
  FetchOptions options_;
};

TEST_F(ListFetch, IsEmptyUntilItWasFetchedAndYoungForItsRefresh) {
  EXPECT_EQ(entries(), 0U);
  publish("# a list\n192.0.2.1 ; SBL1\n198.51.100.0/24 # note\nhost.example.net\n");
  const auto first = fetch_list(list_, options_, make::noon);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->outcome, Outcome::updated);
  EXPECT_EQ(first->entries, 3U);
  EXPECT_EQ(entries(), 3U);
  EXPECT_EQ(fetched_at(list_, directory_), make::noon);
  publish("192.0.2.1\n");
  EXPECT_EQ(fetch_list(list_, options_, make::noon + 23h)->outcome, Outcome::too_young);
  EXPECT_EQ(entries(), 3U);
  EXPECT_EQ(fetch_list(list_, options_, make::noon + 24h)->outcome, Outcome::updated);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(ListFetch, KeepsTheLastGoodCopyAndSaysSo) {
  publish("192.0.2.1\n192.0.2.2\n");
  ASSERT_TRUE(fetch_list(list_, options_, make::noon));
  options_.now = true;
  options_.most_bytes = 100;
  list_.most = 2;
  const auto refused = [&](const std::string& text) {
    publish(text);
    const auto done = fetch_list(list_, options_, make::noon + 1h);
    EXPECT_EQ(entries(), 2U);
    return done ? std::string("taken") : done.error().text;
  };
  EXPECT_THAT(refused(std::string(200, '#')),
              HasSubstr("larger than 100 bytes; the copy of 2025-01-12T12:00:00Z stays"));
  EXPECT_THAT(refused("<html>404</html>"), HasSubstr("the copy of 2025-01-12T12:00:00Z stays"));
  EXPECT_THAT(refused("192.0.2.1\n192.0.2.2\n192.0.2.3\n"), HasSubstr("more than 2 entries"));
  EXPECT_THAT(refused("# nothing\n"), HasSubstr("it has no entries"));
  std::filesystem::remove(directory_ + "/origin");
  EXPECT_THAT(fetch_list(list_, options_, make::noon + 1h).error().text, HasSubstr("the copy of"));
  EXPECT_EQ(entries(), 2U);
}

TEST_F(ListFetch, KnowsNothingOfACopyFromAnotherUrl) {
  publish("192.0.2.1\n");
  ASSERT_TRUE(fetch_list(list_, options_, make::noon));
  std::filesystem::rename(directory_ + "/origin", directory_ + "/elsewhere");
  list_.url = "file://" + directory_ + "/elsewhere";
  EXPECT_EQ(fetched_at(list_, directory_), WallTime{});
  EXPECT_EQ(fetch_list(list_, options_, make::noon + 1s)->outcome, Outcome::updated);
}

TEST_F(ListFetch, SpeaksOnlyHttps) {
  list_.url = "http://127.0.0.1:1/list";
  const auto done = fetch_list(list_, options_, make::noon);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text, HasSubstr("fetch list drop from http://127.0.0.1:1/list: "));
  EXPECT_THAT(done.error().text, HasSubstr("never fetched"));
}

}  // namespace
}  // namespace palang
