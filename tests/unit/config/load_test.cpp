#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "config/config.hpp"

namespace palang {
namespace {

class LoadConfig : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "palang-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view text) {
    const std::string path = directory_ / name;
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path directory_;
};

TEST_F(LoadConfig, AMissingDefaultFileMeansTheDefaults) {
  const auto config = load_config(std::nullopt, (directory_ / "none.toml").string());
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(*config, Config{});
}

TEST_F(LoadConfig, AMissingNamedFileIsAnError) {
  const auto config = load_config((directory_ / "none.toml").string());
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().kind, ErrorKind::bad_config);
  EXPECT_EQ(config.error().text,
            "open " + (directory_ / "none.toml").string() + ": no such file or directory (ENOENT)");
}

TEST_F(LoadConfig, ReadsTheNamedAndTheDefaultFile) {
  const std::string path = write("a.toml", "profile = \"classic\"\n");
  EXPECT_EQ(load_config(path)->profile, "classic");
  EXPECT_EQ(load_config(std::nullopt, path)->profile, "classic");
}

TEST_F(LoadConfig, ErrorsNameTheFile) {
  const std::string path = write("b.toml", "\n[ban]\nfro = 1\n");
  const auto config = load_config(path);
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().text, path + ":3: ban.fro: no such key; did you mean ban.for?");
}

TEST_F(LoadConfig, OnlyARegularFileOfReasonableSizeIsRead) {
  EXPECT_FALSE(load_config(directory_.string()).has_value());
  const std::string fifo = directory_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto from_fifo = load_config(fifo);
  ASSERT_FALSE(from_fifo.has_value());
  EXPECT_EQ(from_fifo.error().text, "read " + fifo + ": not a regular file");
  const std::string large = write("large.toml", std::string((1U << 20) + 1, '#'));
  ASSERT_FALSE(load_config(large).has_value());
}

}  // namespace
}  // namespace palang
