#include "rules/f2b_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules/f2b_tags.hpp"
#include "unit/rules/f2b_tree.hpp"

namespace palang::f2b {
namespace {

using make::Fail2banTree;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const Config& config, std::string_view section, std::string_view name) {
  const auto value = config.get(section, name);
  if (!value) return "error: " + value.error().text;
  return value->value_or("(none)");
}

TEST(F2bIni, ContinuesValuesOnIndentedLines) {
  const IniFile file = read_ini(
      "[Definition]\n"
      "failregex = one\n"
      "            two ; a comment\n"
      "   # and a line of comment\n"
      "\n"
      "            three;four\n"
      "other: x = y\n",
      "f.conf");
  ASSERT_NE(file.section("Definition"), nullptr);
  const IniOptions& options = file.section("Definition")->options;
  EXPECT_EQ(options.at("failregex").text, "one\ntwo\n\nthree;four");
  EXPECT_EQ(options.at("failregex").line, 2U);
  EXPECT_EQ(options.at("other").text, "x = y");
  EXPECT_TRUE(file.complaints.empty());
}

TEST(F2bIni, NamesFileAndLineOfWhatItLeavesOut) {
  const IniFile file = read_ini("stray = 1\n[A]\nwords without anything\nx = 1\nx = 2\n", "f.conf");
  EXPECT_THAT(file.complaints,
              ElementsAre(HasSubstr("f.conf:1: \"stray = 1\""), HasSubstr("f.conf:3: \"words without anything\""),
                          HasSubstr("f.conf:5: option \"x\" is here a second time")));
  EXPECT_EQ(file.section("A")->options.at("x").text, "2");
}

TEST(F2bConfig, LaterFilesOverrideAndKnowWhatWasBefore) {
  Fail2banTree tree;
  tree.file("filter.d/base.conf", "[Definition]\n_daemon = base\nfailregex = from base\n[DEFAULT]\nshared = yes\n")
      .file("filter.d/x.conf", "[INCLUDES]\nbefore = base.conf\n[Definition]\nfailregex = ^%(_daemon)s: <HOST>\n")
      .file("filter.d/x.local", "[Definition]\n_daemon = mine\nfailregex = %(known/failregex)s\n    more %(shared)s\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "filter.d/x"));
  EXPECT_EQ(text_of(config, "Definition", "failregex"), "^mine: <HOST>\nmore yes");
  EXPECT_TRUE(config.complaints().empty());
}

TEST(F2bConfig, ReadsDirectoriesInOrder) {
  Fail2banTree tree;
  tree.file("jail.conf", "[DEFAULT]\na = conf\nb = conf\nc = conf\nd = conf\n")
      .file("jail.d/2.conf", "[DEFAULT]\nb = 2\nc = 2\nd = 2\n")
      .file("jail.local", "[DEFAULT]\nc = local\nd = local\n")
      .file("jail.d/1.local", "[DEFAULT]\nd = 1\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "jail"));
  EXPECT_EQ(text_of(config, "DEFAULT", "a"), "conf");
  EXPECT_EQ(text_of(config, "DEFAULT", "b"), "2");
  EXPECT_EQ(text_of(config, "DEFAULT", "c"), "local");
  EXPECT_EQ(text_of(config, "DEFAULT", "d"), "1");
}

TEST(F2bConfig, CutsACircleOfIncludesAndSaysWhere) {
  Fail2banTree tree;
  tree.file("filter.d/a.conf", "[INCLUDES]\nbefore = b.conf\n[Definition]\nx = 1\n")
      .file("filter.d/b.conf", "[INCLUDES]\nbefore = a.conf\n[Definition]\ny = 2\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "filter.d/a"));
  EXPECT_EQ(text_of(config, "Definition", "x"), "1");
  EXPECT_EQ(text_of(config, "Definition", "y"), "2");
  EXPECT_THAT(config.complaints(), ElementsAre(HasSubstr("b.conf:2: includes")));
}

TEST(F2bConfig, AMissingIncludeIsNamed) {
  Fail2banTree tree;
  tree.file("filter.d/a.conf", "[INCLUDES]\nbefore = gone.conf\nafter = mine.local\n[Definition]\nx = 1\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "filter.d/a"));
  EXPECT_THAT(config.complaints(), ElementsAre(HasSubstr("a.conf:2: ")));
  EXPECT_THAT(config.complaints().front(), HasSubstr("gone.conf is missing"));
}

TEST(F2bConfig, ErrorsOfInterpolationHaveAPlace) {
  Fail2banTree tree;
  tree.file("jail.conf", "[a]\nx = %(nothing)s\ny = 100%\nz = %(z)s\nok = 100%% %(__name__)s\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "jail"));
  EXPECT_THAT(text_of(config, "a", "x"), HasSubstr("jail.conf:2: option \"x\" of [a]: there is no option \"nothing\""));
  EXPECT_THAT(text_of(config, "a", "y"), HasSubstr("a % must be followed by"));
  EXPECT_THAT(text_of(config, "a", "z"), HasSubstr("more than 10 deep"));
  EXPECT_EQ(text_of(config, "a", "ok"), "100% a");
}

TEST(F2bConfig, ValuesThatGrowWithoutEndAreStopped) {
  Fail2banTree tree;
  std::string text = "[a]\nx0 = " + std::string(1'000, 'x') + "\n";
  for (int level = 1; level < 9; ++level) {
    text += "x" + std::to_string(level) + " = ";
    for (int copy = 0; copy < 20; ++copy) text += "%(x" + std::to_string(level - 1) + ")s";
    text += "\n";
  }
  tree.file("jail.conf", text);
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "jail"));
  EXPECT_THAT(text_of(config, "a", "x8"), HasSubstr("beyond 1 MiB"));
}

TEST(F2bConfig, ConditionalSectionsKeepTheirCondition) {
  Fail2banTree tree;
  tree.file("action.d/a.conf", "[Init]\nx = 4\n[Init?family=inet6]\nx = 6\n");
  Config config;
  ASSERT_TRUE(config.read(tree.root(), "action.d/a"));
  EXPECT_EQ(text_of(config, "Init", "x"), "4");
  EXPECT_EQ(text_of(config, "Init", "x?family=inet6"), "6");
}

TEST(F2bReference, HasOptionsInBrackets) {
  const auto reference = read_reference(R"(sshd[mode=aggressive, publickey="a,b]", x='y'][z=1])");
  ASSERT_TRUE(reference.has_value());
  EXPECT_EQ(reference->name, "sshd");
  EXPECT_EQ(reference->options, (Values{{"mode", "aggressive"}, {"publickey", "a,b]"}, {"x", "y"}, {"z", "1"}}));
  EXPECT_FALSE(read_reference("sshd[mode").has_value());
  EXPECT_FALSE(read_reference("sshd[=x]").has_value());
  EXPECT_FALSE(read_reference("").has_value());
  EXPECT_THAT(split_references("a[x=\"1 2\"]\n  b c[y=3]"), ElementsAre("a[x=\"1 2\"]", "b", "c[y=3]"));
}

TEST(F2bTags, AreReplacedByOptionsWithinOneAnother) {
  const TagSource others = [](const std::string& tag) -> std::optional<std::string> {
    if (tag == "elsewhere") return "found";
    return std::nullopt;
  };
  const auto result = substitute_tags({{"a", "<b_<c>> <HOST>"}, {"c", "1"}, {"b_1", "deep <elsewhere>"}}, {}, others);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->at("a"), "deep found <HOST>");
}

TEST(F2bTags, ThatContainThemselvesAreAnError) {
  const TagSource none = [](const std::string&) { return std::optional<std::string>(); };
  EXPECT_FALSE(substitute_tags({{"a", "x<a>"}}, {}, none).has_value());
  EXPECT_FALSE(substitute_tags({{"a", "x<b>"}, {"b", "y<a>"}}, {}, none).has_value());
}

}  // namespace
}  // namespace palang::f2b
