#include "api/metrics.hpp"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "samples.hpp"

namespace palang {
namespace {

using testing::HasSubstr;

TEST(Metrics, ShowTheStatus) {
  const std::string text = metrics_text(sample_status());
  EXPECT_THAT(text, HasSubstr("# HELP palang_bans Active decisions, by where they drop.\n# TYPE palang_bans gauge\n"
                              "palang_bans{scope=\"quiet\"} 1200\npalang_bans{scope=\"full\"} 34\n"));
  EXPECT_THAT(text, HasSubstr("palang_info{version=\"0.1.0\",profile=\"default\",enforcer=\"xdp and nftables\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("palang_start_time_seconds 1736398800\n"));
  EXPECT_THAT(text, HasSubstr("\npalang_healthy 0\n"));
  EXPECT_THAT(text, HasSubstr("palang_source_lines_total{source=\"file:/var/log/kern.log\"} 123456\n"));
  EXPECT_THAT(text, HasSubstr("palang_source_healthy{source=\"kmsg\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("palang_xdp_kernel_bytes 41200000\n"));
  EXPECT_THAT(text, HasSubstr("palang_xdp_interface{interface=\"eth0\",mode=\"native\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("palang_xdp_interface{interface=\"wg0\",mode=\"\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("palang_xdp_packets_total{verdict=\"drop_full\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("palang_count{what=\"stopped\"} 266\n"));
}

TEST(Metrics, EveryFamilyIsDescribedOnceBeforeItsSamples) {
  std::istringstream lines(metrics_text(sample_status()));
  std::set<std::string> described;
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string first, second, name;
    words >> first >> second >> name;
    if (first == "#" && second == "TYPE") {
      EXPECT_TRUE(described.insert(name).second) << line;
    }
    if (first != "#") {
      EXPECT_TRUE(described.contains(line.substr(0, line.find_first_of("{ ")))) << line;
    }
  }
  EXPECT_GE(described.size(), 13U);
}

TEST(Metrics, LabelsAreEscaped) {
  StatusReply status = sample_status();
  status.sources[0].name = "file:/a\"b\\c\nd";
  EXPECT_THAT(metrics_text(status), HasSubstr("{source=\"file:/a\\\"b\\\\c\\nd\"}"));
}

}  // namespace
}  // namespace palang
