// Log lines, whatever stands in them, through filters as fail2ban's are: with sessions and prefregex, and with several
// lines at once. What comes out was in the lines.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/f2b_filter.hpp"

namespace {

using namespace palang::f2b;

void require(bool promise) {
  if (!promise) std::abort();
}

Definition with_sessions() {
  Definition definition;
  definition.prefregex = R"(^(?:\S+ )?d(?:\[<F-MLFID>\d+</F-MLFID>\])?:\s+<F-CONTENT>.+</F-CONTENT>$)";
  definition.failregex = {R"(^Failed \S+ for <F-USER>(?P<cond>\S+)|.*?</F-USER> from <HOST>(?: port \d+){0,2}$)",
                          R"(^<F-NOFAIL>connect</F-NOFAIL> from <SUBNET>)",
                          R"(^<F-MLFGAINED>Accepted</F-MLFGAINED> for <F-USER>\S+</F-USER>)",
                          R"(^(?:\w+ )+<F-NOFAIL><F-MLFFORGET>closed</F-MLFFORGET></F-NOFAIL>)"};
  definition.ignoreregex = {"ignore me"};
  return definition;
}

Definition with_lines() {
  Definition definition;
  definition.maxlines = 4;
  definition.datepattern = {"{^LN-BEG}", R"(^[^\[]*\[({DATE}))", "%j %Y %H:%M", "^t={LEPOCH}"};
  definition.failregex = {"^ begin <HOST><SKIPLINES>^ failed$"};
  return definition;
}

Filter compiled(const Definition& definition) {
  auto filter = Filter::compile(definition, {.max_sessions = 8});
  require(filter.has_value());
  return std::move(*filter);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Compiled once: what one input leaves behind is there for the next, as in a log.
  static Filter sessions = compiled(with_sessions());
  static Filter lines = compiled(with_lines());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr palang::WallTime now{std::chrono::seconds{1'736'683'200}};
  std::vector<FilterFailure> failures;
  for (const std::string_view line : split_lines(text)) {
    sessions.observe(line, now, failures);
    lines.observe(line, now, failures);
    sessions.observe_entry(line, now, failures);
  }
  for (const FilterFailure& failure : failures) {
    require(!failure.quiet && !failure.pending && !failure.id.empty());
    require(failure.lines.size() <= MatchedLines::max_kept && failure.lines.size() <= failure.attempts);
  }
  return 0;
}
