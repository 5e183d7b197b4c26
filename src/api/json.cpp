#include "api/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t page_bytes = 65'536;

// Pure ASCII; bytes that are no UTF-8 become U+FFFD instead of an exception.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

bool is_no_time(WallTime time) {
  return time == WallTime{} || time == WallTime::max();
}

Json time_json(WallTime time) {
  if (is_no_time(time)) return nullptr;
  return format_utc(time);
}

Json text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

// A text of others as a JSON string, with its quotes.
std::string text_json(const std::string& text) {
  return dump(Json(text));
}

// A time as JSON text, with its quotes.
std::string time_text(WallTime time) {
  if (is_no_time(time)) return "null";
  return fmt::format("\"{}\"", format_utc(time));
}

// The words for rules of files are their authors'.
std::string reason_json(const Decision& decision) {
  if (decision.rule > Rule::recovered) return text_json(reason_text(decision));
  return fmt::format("\"{}\"", reason_text(decision));
}

// The members of a decision without the braces. Lists have a million of these, and watchers are told in the loop
// thread, so it is written directly; nothing in it is the text of others.
std::string decision_members(const Decision& decision) {
  return fmt::format(
      R"("id":{},"prefix":"{}","scope":"{}","rule":"{}","reason":{},"origin":"{}","proof":"{}","from":{},"until":{},)"
      R"("proven_at":{},"count":{},"protocol":"{}","port":{},"repeat":{})",
      decision.id, decision.prefix.text(), scope_name(decision.scope), rule_name(decision.rule), reason_json(decision),
      origin_name(decision.origin), proof_name(decision.proof), time_text(decision.from), time_text(decision.until),
      time_text(decision.proven_at), decision.count, protocol_name(decision.protocol), decision.port, decision.repeat);
}

std::string ban_object(const BanView& ban) {
  return fmt::format(R"({{{},"note":{},"hits":{},"last_seen":{}}})", decision_members(ban.decision),
                     text_json(ban.note), ban.hits, time_text(ban.last_seen));
}

std::string past_object(const PastView& past) {
  return fmt::format(R"({{{},"note":{},"how_it_ended":{}}})", decision_members(past.decision), text_json(past.note),
                     dump(text_or_null(past.how_it_ended)));
}

Json source_json(const SourceStatus& source) {
  return {
      {"name", source.name},
      {"lines", source.counters.lines},
      {"bytes", source.counters.bytes},
      {"cut_lines", source.counters.cut_lines},
      {"lost_lines", source.counters.lost_lines},
      {"trouble", text_or_null(source.trouble)},
  };
}

Json enforcement_json(const EnforcementStatus& status) {
  Json interfaces = Json::array();
  for (const InterfaceStatus& one : status.interfaces)
    interfaces.push_back({{"name", one.name}, {"mode", text_or_null(one.mode)}, {"reasons", one.reasons}});
  Json packets = Json::object();
  for (const NamedCount& count : status.packets) packets[count.name] = count.count;
  return {
      {"interfaces", std::move(interfaces)},
      {"reasons", status.reasons},
      {"kernel_bytes", status.kernel_bytes},
      {"runs", status.runs},
      {"run_ns", status.run_ns},
      {"packets", std::move(packets)},
  };
}

std::string text_of(const StatusReply& status) {
  Json sources = Json::array();
  for (const SourceStatus& source : status.sources) sources.push_back(source_json(source));
  Json counters = Json::object();
  for (const NamedCount& counter : status.counters) counters[counter.name] = counter.count;
  return dump({
      {"version", status.version},
      {"pid", status.pid},
      {"started", time_json(status.started)},
      {"healthy", status.troubles.empty()},
      {"troubles", status.troubles},
      {"profile", status.profile},
      {"enforcer", status.enforcer},
      {"enforcement", enforcement_json(status.enforcement)},
      {"bans",
       {{"intended", status.bans_intended},
        {"in_kernel", status.bans_in_kernel},
        {"quiet", status.quiet},
        {"full", status.full}}},
      {"allowed", status.allowed},
      {"sources", std::move(sources)},
      {"counters", std::move(counters)},
      {"open_ports", {{"tcp", status.open_tcp}, {"udp", status.open_udp}}},
      {"protected", status.protected_now},
  });
}

std::string text_of(const BansReply& reply) {
  BansPages pages(reply);
  std::string text;
  while (!pages.done()) text.append(pages.next());
  return text;
}

std::string text_of(const AllowedReply& reply) {
  Json allowed = Json::array();
  for (const AllowedView& one : reply.allowed) {
    allowed.push_back({{"prefix", one.prefix.text()},
                       {"by", one.by},
                       {"from", time_json(one.from)},
                       {"until", time_json(one.until)},
                       {"note", one.note}});
  }
  return dump({{"allowed", std::move(allowed)}});
}

std::string text_of(const ExplainReply& reply) {
  std::vector<std::string> decisions;
  decisions.reserve(reply.decisions.size());
  for (const PastView& past : reply.decisions) decisions.push_back(past_object(past));
  Json evidence = Json::array();
  for (const Evidence& one : reply.evidence) {
    evidence.push_back(
        {{"at", time_json(one.at)}, {"source", one.source.text()}, {"rule", rule_name(one.rule)}, {"line", one.line}});
  }
  return fmt::format(
      R"({{"address":"{}","banned":{},"ban":{},"exempt":{},"decisions":[{}],"evidence":{},"advice":{}}})",
      reply.address.text(), reply.ban.has_value(), reply.ban ? ban_object(*reply.ban) : "null",
      dump(text_or_null(reply.exempt)), fmt::join(decisions, ","), dump(evidence), dump(Json(reply.advice)));
}

std::string text_of(const ProgressReply& reply) {
  Json counts = Json::array();
  for (const Progress& one : reply.counts) {
    counts.push_back({{"rule", rule_name(one.rule)},
                      {"subject", one.subject.text()},
                      {"count", one.count},
                      {"enough", one.enough},
                      {"within", format_duration(one.within)},
                      {"newest", time_json(one.newest)}});
  }
  return dump({{"address", reply.address.text()}, {"counts", std::move(counts)}});
}

std::string text_of(const BanReply& reply) {
  return fmt::format(R"({{"ban":{}}})", ban_object(reply.ban));
}

std::string text_of(const CountReply& reply) {
  return fmt::format(R"({{"lifted":{}}})", reply.lifted);
}

std::string text_of(const DoneReply& reply) {
  return dump({{"notes", reply.notes}});
}

std::string_view kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::fault: return "fault";
    case ErrorKind::usage: return "usage";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::bad_config: return "bad_config";
  }
  return "fault";
}

}  // namespace

std::string reply_json(const Reply& reply) {
  return std::visit([](const auto& one) { return text_of(one); }, reply);
}

std::string error_json(const Error& error) {
  return dump({{"error", error.text}, {"kind", kind_name(error.kind)}});
}

std::string change_json(const Change& change) {
  return fmt::format(R"({{"change":"{}","at":{},{},"note":{}}})", change_name(change.kind), time_text(change.at),
                     decision_members(change.decision), text_json(change.note));
}

std::string dropped_json(uint64_t changes) {
  return fmt::format(R"({{"dropped":{}}})", changes);
}

std::string BansPages::next() {
  std::string page;
  if (at_ == 0) page = fmt::format("{{\"total\":{},\"bans\":[", reply_.total);
  while (at_ < reply_.bans.size() && page.size() < page_bytes) {
    if (at_ > 0) page.push_back(',');
    page.append(ban_object(reply_.bans[at_++]));
  }
  if (at_ == reply_.bans.size()) {
    page.append("]}");
    done_ = true;
  }
  return page;
}

}  // namespace palang
