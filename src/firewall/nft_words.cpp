#include "firewall/nft_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace palang {
namespace {

struct RateUnit {
  std::string_view name;
  int64_t seconds;
};
constexpr std::array<RateUnit, 5> rate_units{
    {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86'400}, {"week", 604'800}}};

std::string print_span(const PortSpan& span) {
  return span.first == span.last ? fmt::format("{}", span.first) : fmt::format("{}-{}", span.first, span.last);
}

}  // namespace

std::string nft_ports(const PortSpans& ports) {
  PortSpans sorted = ports;
  std::ranges::sort(sorted);
  PortSpans merged;
  for (const PortSpan& span : sorted) {
    if (!merged.empty() && span.first <= merged.back().last + 1)
      merged.back().last = std::max(merged.back().last, span.last);
    else
      merged.push_back(span);
  }
  if (merged.size() == 1) return print_span(merged.front());
  std::vector<std::string> texts;
  for (const PortSpan& span : merged) texts.push_back(print_span(span));
  return fmt::format("{{ {} }}", fmt::join(texts, ", "));
}

std::string nft_rate(const Rate& rate, uint32_t least_burst) {
  const int64_t per = std::max<int64_t>(std::chrono::duration_cast<std::chrono::seconds>(rate.per).count(), 1);
  const uint32_t burst = rate.burst > 0 ? rate.burst : std::max(rate.count, least_burst);
  for (const RateUnit& unit : rate_units) {
    const int64_t scaled = int64_t{rate.count} * unit.seconds;
    if (scaled % per == 0 && scaled >= per)
      return fmt::format("{}/{} burst {} packets", scaled / per, unit.name, burst);
  }
  const RateUnit& week = rate_units.back();
  const int64_t scaled = std::max<int64_t>(int64_t{rate.count} * week.seconds / per, 1);
  return fmt::format("{}/{} burst {} packets", scaled, week.name, burst);
}

Duration bucket_memory(const Rate& rate) {
  const uint32_t burst = std::max(rate.burst, rate.count);
  const Duration full = rate.per * ((burst + rate.count - 1) / rate.count);
  return std::clamp<Duration>(full, 10s, one_day * 7);
}

std::string nft_timeout(Duration duration) {
  return fmt::format("{}s", std::max<int64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count(), 1));
}

std::string_view nft_protocol(FirewallProtocol protocol) {
  return protocol == FirewallProtocol::udp ? "udp" : "tcp";
}

std::string nft_side(bool v4, bool source) {
  return fmt::format("{} {}", v4 ? "ip" : "ip6", source ? "saddr" : "daddr");
}

std::string nft_network(bool v4, bool source, unsigned length) {
  const unsigned longest = v4 ? 32 : 128;
  if (length >= longest) return nft_side(v4, source);
  const Address ones = v4 ? Address::v4(~uint32_t{0}) : Address::from_words(~uint64_t{0}, ~uint64_t{0});
  return fmt::format("{} & {}", nft_side(v4, source), Prefix::of_length(ones, length).address().text());
}

std::string nft_counted(bool v4, bool source) {
  return nft_network(v4, source, v4 ? 32 : 64);
}

std::string words(std::span<const std::string> parts) {
  std::string text;
  for (const std::string& part : parts)
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  return text;
}

}  // namespace palang
