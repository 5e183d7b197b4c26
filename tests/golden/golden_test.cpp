// Log lines and what they are to become, from the text files beside this one: see tests/golden/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "parse/line_parser.hpp"
#include "unit/make.hpp"

namespace palang {
namespace {

const WallTime newest = make::utc("2025-02-01T00:00:00Z");
const WallTime booted = make::utc("2025-01-12T00:00:00Z");

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(PALANG_GOLDEN_DIR))
    if (entry.path().extension() == ".txt" && entry.path().stem() != "CMakeLists") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// "\x00" is the byte 0, and so on; any other backslash is itself.
std::string unescaped(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    const std::string_view code = text.substr(at, 4);
    const bool escaped = code.size() == 4 && code.starts_with("\\x") &&
                         std::from_chars(code.data() + 2, code.data() + 4, byte, 16).ptr == code.data() + 4;
    bytes.push_back(escaped ? static_cast<char>(byte) : text[at]);
    if (escaped) at += 3;
  }
  return bytes;
}

// As the files write it: "judged 203.0.113.9 tcp 8000 closed 2025-01-11T17:30:41Z", or the fate alone.
std::string outcome_of(std::string_view line, Framing framing) {
  LineParser parser(booted);
  const ParsedLine parsed = parser.parse({line, framing, newest});
  std::string text(line_fate_name(parsed.fate));
  if (parsed.fate != LineFate::judged) return text;
  const Event& event = parsed.event;
  text.append(" ").append(event.source.text());
  text.append(" ").append(protocol_name(event.protocol));
  text.append(" ").append(std::to_string(event.port));
  text.append(event.port_is_closed ? " closed " : " refused ").append(format_utc(event.at));
  return text;
}

class Golden : public testing::TestWithParam<std::filesystem::path> {
 protected:
  Golden() {
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
  }
  ~Golden() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_P(Golden, EveryLineBecomesWhatTheFileSays) {
  std::ifstream file(GetParam());
  ASSERT_TRUE(file) << GetParam();
  const Framing framing = GetParam().stem() == "kernel_framing" ? Framing::kernel : Framing::syslog;
  std::string text;
  std::string log_line;
  int checked = 0;
  for (int number = 1; std::getline(file, text); ++number) {
    if (text.starts_with("=> ")) {
      const std::string line = unescaped(log_line);
      const std::string got = outcome_of(line, framing);
      if (got != text.substr(3))
        ADD_FAILURE_AT(GetParam().c_str(), number)
            << escape_controls(line) << "\n  should become  " << text.substr(3) << "\n  but becomes    " << got;
      ++checked;
    } else if (!text.starts_with("# ")) {
      log_line = text;
    }
  }
  EXPECT_GT(checked, 0) << "no line of " << GetParam() << " begins with '=> '";
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(golden_files()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace palang
