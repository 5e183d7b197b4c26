#include "api/metrics.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace palang {
namespace {

// Label values escape backslash, quote and line feed (Prometheus text format).
std::string label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped.append("\\n");
      continue;
    }
    if (c == '\\' || c == '"') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    family_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename Number>
  void sample(Number value, std::string_view labels = {}) {
    if (labels.empty())
      fmt::format_to(std::back_inserter(text_), "{} {}\n", family_, value);
    else
      fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", family_, labels, value);
  }
  void one(std::string_view name, std::string_view type, std::string_view help, uint64_t value) {
    family(name, type, help);
    sample(value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string family_;
  std::string text_;
};

void add_enforcement(Page& page, const EnforcementStatus& status) {
  page.one("palang_xdp_kernel_bytes", "gauge", "Kernel memory of XDP's tables.", status.kernel_bytes);
  page.family("palang_xdp_interface", "gauge", "Interfaces that XDP should guard: 1, or 0 where it can't.");
  for (const InterfaceStatus& one : status.interfaces)
    page.sample(one.mode.empty() ? 0 : 1,
                fmt::format("interface=\"{}\",mode=\"{}\"", label(one.name), label(one.mode)));
  page.family("palang_xdp_packets_total", "counter", "Packets, by what XDP did with them.");
  for (const NamedCount& count : status.packets)
    page.sample(count.count, fmt::format("verdict=\"{}\"", label(count.name)));
}

void add_sources(Page& page, const StatusReply& status) {
  struct Counter {
    std::string_view name;
    std::string_view help;
    uint64_t SourceCounters::* value;
  };
  static constexpr Counter counters[] = {
      {"palang_source_lines_total", "Lines read from a source.", &SourceCounters::lines},
      {"palang_source_bytes_total", "Bytes read from a source.", &SourceCounters::bytes},
      {"palang_source_cut_lines_total", "Lines that were too long and lost their rest.", &SourceCounters::cut_lines},
      {"palang_source_lost_lines_total", "Lines or packets overwritten or dropped before they were read.",
       &SourceCounters::lost_lines},
  };
  for (const Counter& counter : counters) {
    page.family(counter.name, "counter", counter.help);
    for (const SourceStatus& source : status.sources)
      page.sample(source.counters.*counter.value, fmt::format("source=\"{}\"", label(source.name)));
  }
  page.family("palang_source_healthy", "gauge", "1 while a source is read without trouble.");
  for (const SourceStatus& source : status.sources)
    page.sample(source.trouble.empty() ? 1 : 0, fmt::format("source=\"{}\"", label(source.name)));
}

}  // namespace

std::string metrics_text(const StatusReply& status) {
  Page page;
  page.family("palang_info", "gauge", "What runs here; always 1.");
  page.sample(1, fmt::format("version=\"{}\",profile=\"{}\",enforcer=\"{}\"", label(status.version),
                             label(status.profile), label(status.enforcer)));
  const auto started = std::chrono::floor<std::chrono::seconds>(status.started).time_since_epoch().count();
  page.family("palang_start_time_seconds", "gauge", "When the daemon started, in seconds since 1970.");
  page.sample(started);
  page.one("palang_healthy", "gauge", "1 while nothing is wrong.", status.troubles.empty() ? 1 : 0);
  page.one("palang_troubles", "gauge", "Things that are wrong now.", status.troubles.size());
  page.family("palang_bans", "gauge", "Active decisions, by where they drop.");
  page.sample(status.quiet, "scope=\"quiet\"");
  page.sample(status.full, "scope=\"full\"");
  page.one("palang_bans_intended", "gauge", "Bans the kernel should hold.", status.bans_intended);
  page.one("palang_bans_in_kernel", "gauge", "Bans the kernel holds.", status.bans_in_kernel);
  page.one("palang_allowed", "gauge", "Prefixes that are never banned.", status.allowed);
  add_enforcement(page, status.enforcement);
  add_sources(page, status);
  page.family("palang_count", "untyped", "Everything else that is counted, by its name in the status.");
  for (const NamedCount& counter : status.counters)
    page.sample(counter.count, fmt::format("what=\"{}\"", label(counter.name)));
  return page.take();
}

}  // namespace palang
