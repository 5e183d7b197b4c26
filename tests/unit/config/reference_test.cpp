#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "config/config.hpp"
#include "config/fields.hpp"
#include "config/schema.hpp"

namespace palang {
namespace {

// The reference with every default put in force: "#for = ..." becomes "for = ...".
std::string uncommented(const std::string& reference) {
  std::istringstream lines(reference);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool is_default = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    out += (is_default ? line.substr(1) : line) + "\n";
  }
  return out;
}

TEST(Reference, ParsesBackToTheDefaults) {
  const auto as_printed = parse_config(config_reference(), "reference");
  ASSERT_TRUE(as_printed.has_value()) << as_printed.error().text;
  EXPECT_EQ(*as_printed, Config{});
}

TEST(Reference, StatesTheTrueDefaultOfEveryKey) {
  const std::string text = uncommented(config_reference());
  const auto in_force = parse_config(text, "reference");
  ASSERT_TRUE(in_force.has_value()) << in_force.error().text;
  EXPECT_EQ(*in_force, Config{});
  for (const Key& key : config_keys()) {
    const auto section = std::ranges::find(config_sections(), section_of(key.path), &Section::path);
    if (section->repeated || section->optional) continue;
    EXPECT_NE(text.find("\n" + std::string(leaf_of(key.path)) + " = "), std::string::npos) << key.path;
  }
}

TEST(Reference, FollowsAProfileThatIsPutIntoIt) {
  std::string text = config_reference();
  text.replace(text.find("#profile = \"default\""), 20, "profile = \"classic\"");
  const auto config = parse_config(text, "reference");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->policy.ban, classic_profile());
}

TEST(Reference, LinesAreShort) {
  std::istringstream lines(config_reference());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Schema, KeysStandInKnownSectionsOnceEach) {
  std::string_view last;
  std::vector<std::string_view> seen;
  for (const Key& key : config_keys()) {
    EXPECT_EQ(std::ranges::count(config_keys(), key.path, &Key::path), 1) << key.path;
    EXPECT_EQ(std::ranges::count(config_sections(), section_of(key.path), &Section::path), 1) << key.path;
    EXPECT_TRUE(key.doc.ends_with('.')) << key.path;
    if (section_of(key.path) != last || seen.empty()) {
      last = section_of(key.path);
      EXPECT_EQ(std::ranges::count(seen, last), 0) << "the keys of [" << last << "] stand together";
      seen.push_back(last);
    }
  }
}

}  // namespace
}  // namespace palang
