// A service's line, whatever stands in it, in each format: what is read of it lies in it, and doesn't depend on the
// lines before.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "parse/entry_reader.hpp"

namespace {

using namespace palang;

void require(bool promise) {
  if (!promise) std::abort();
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_request(const HttpAccess& request, std::string_view line, bool views_are_of_line) {
  require(request.status < 1000);
  for (const std::string_view field :
       {request.host, request.user, request.method, request.target, request.referer, request.agent})
    require(!views_are_of_line || lies_in(field, line));
  require(request.target.size() <= line.size() && request.agent.size() <= line.size());
}

void check_waf(const WafHit& hit) {
  require(hit.rules <= WafHit::most_rules);
  require(hit.severity <= 7 || hit.severity == WafHit::no_severity);
}

void check(EntryReader& reader, std::string_view line, LineFormat format, WallTime newest) {
  LogEntry entry;
  const bool read = reader.read(line, format, newest, entry);
  EntryReader fresh;
  LogEntry again;
  require(fresh.read(line, format, newest, again) == read);
  if (!read) return;
  const bool may_be_twice = format == LineFormat::plain;  // an hour that comes twice depends on the line before
  require(entry.line.at == again.line.at || may_be_twice);
  require(lies_in(entry.line.message, line));
  require((entry.access != nullptr) == (again.access != nullptr) && (entry.waf != nullptr) == (again.waf != nullptr));
  if (entry.access != nullptr) {
    require(entry.access->client == again.access->client && entry.access->target == again.access->target);
    check_request(*entry.access, line, format != LineFormat::modsec_json);
  }
  if (entry.waf != nullptr) check_waf(*entry.waf);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool in_berlin = setenv("TZ", "Europe/Berlin", 1) == 0;
  require(in_berlin);
  constexpr std::array formats{LineFormat::plain, LineFormat::access, LineFormat::error, LineFormat::modsec_json};
  const WallTime newest{one_day * 20'200};
  std::array<EntryReader, formats.size()> readers;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    for (size_t i = 0; i < formats.size(); ++i) check(readers[i], rest.substr(0, end), formats[i], newest);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
