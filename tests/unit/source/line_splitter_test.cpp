#include "source/line_splitter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace palang {
namespace {

constexpr size_t longest = LineSplitter::longest_line;

struct Split {
  std::vector<std::string> lines;
  uint64_t pending = 0;
  uint64_t cut = 0;
  friend bool operator==(const Split&, const Split&) = default;
};

// Feeds `text` in pieces of the sizes that `next_size` gives.
template <typename NextSize>
Split split(std::string_view text, NextSize next_size, bool finish = false) {
  LineSplitter splitter(size_t{128} * 1024);
  Split result;
  const auto take = [&](std::string_view line) { result.lines.emplace_back(line); };
  while (!text.empty()) {
    const std::span<char> room = splitter.room();
    const size_t size = std::min({next_size(), room.size(), text.size()});
    std::copy_n(text.data(), size, room.data());
    splitter.split(size, take);
    text.remove_prefix(size);
  }
  if (finish) splitter.finish(take);
  result.pending = splitter.pending();
  result.cut = splitter.cut_lines();
  return result;
}

Split split_whole(std::string_view text, bool finish = false) {
  return split(text, [] { return SIZE_MAX; }, finish);
}

TEST(LineSplitter, LinesEndAtNewlinesLessACarriageReturn) {
  const Split result = split_whole("one\ntwo\r\n\nth\rree\r\r\nhalf");
  EXPECT_EQ(result.lines, (std::vector<std::string>{"one", "two", "", "th\rree\r"}));
  EXPECT_EQ(result.pending, 4U);
}

TEST(LineSplitter, AllOtherBytesAreOrdinary) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    if (byte != '\n') bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(split_whole(bytes + "\n").lines, std::vector<std::string>{bytes});
}

TEST(LineSplitter, AHalfWrittenLineWaitsForItsEnd) {
  const std::string text = "abc\ndef\nghi";
  for (size_t size = 1; size < text.size(); ++size)
    EXPECT_EQ(split(text, [&] { return size; }), split_whole(text)) << size;
}

TEST(LineSplitter, TheEndOfTheStreamEndsTheLastLine) {
  EXPECT_EQ(split_whole("a\nb\r", true).lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(split_whole("a\n", true).lines, std::vector<std::string>{"a"});
  EXPECT_TRUE(split_whole("", true).lines.empty());
}

TEST(LineSplitter, ALineOver64KiBIsCutAndCounted) {
  for (const size_t over : {size_t{0}, size_t{1}, size_t{2}, size_t{5'000'000}}) {
    const std::string text = "first\n" + std::string(longest + over, 'x') + "\nlast\n";
    const Split result = split(text, [] { return size_t{1000}; });
    ASSERT_EQ(result.lines.size(), 3U) << over;
    EXPECT_EQ(result.lines[1], std::string(longest, 'x')) << over;
    EXPECT_EQ(result.lines[2], "last");
    EXPECT_EQ(result.cut, over > 0 ? 1U : 0U);
    EXPECT_EQ(result, split_whole(text)) << over;
  }
}

TEST(LineSplitter, TheCarriageReturnBehindTheLongestLineDoesNotCutIt) {
  const std::string text = std::string(longest, 'x') + "\r\n";
  for (const size_t size : {size_t{1}, longest, longest + 1, longest + 2}) {
    const Split result = split(text, [&] { return size; });
    EXPECT_EQ(result.lines, std::vector<std::string>{std::string(longest, 'x')});
    EXPECT_EQ(result.cut, 0U);
  }
}

TEST(LineSplitter, DroppedBytesOfAnUnfinishedLineArePending) {
  EXPECT_EQ(split(std::string(longest * 3, 'x'), [] { return size_t{777}; }).pending, longest * 3);
}

TEST(LineSplitter, MemoryIsGivenBackOnlyBetweenLines) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  const auto feed = [&](std::string_view text) {
    std::ranges::copy(text, splitter.room().data());
    splitter.split(text.size(), take);
    splitter.release();
  };
  feed("a\nb");
  feed("c\n");
  feed("d\n");
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "bc", "d"}));
}

TEST(LineSplitter, ChunksMakeNoDifference) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    std::string text;
    const size_t size = random() % 300'000;
    const uint64_t newline_in = round % 3 == 0 ? 100'000 : 50;
    while (text.size() < size) {
      const uint64_t pick = random() % newline_in;
      text.push_back(pick == 0 ? '\n' : pick == 1 ? '\r' : static_cast<char>(random()));
    }
    const Split chunked = split(text, [&] { return random() % (round % 2 == 0 ? 100'000 : 3000) + 1; });
    ASSERT_EQ(chunked, split_whole(text)) << round;
  }
}

}  // namespace
}  // namespace palang
