#include "cli/json.hpp"

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/text.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

using nlohmann::json;

// The readers below throw as the JSON library does; read_as() is where that ends.
template <typename Reply, typename Read>
Result<Reply> read_as(std::string_view text, Read&& read) {
  try {
    return read(json::parse(text));
  } catch (const std::exception& misread) {
    return fail(fmt::format("read the daemon's reply: {}; is it of another version?", escape_controls(misread.what())));
  }
}

// Unwraps what must be well-formed.
template <typename Value>
Value good(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text);
  return std::move(*result);
}

template <typename Value>
Value named(const json& name, std::initializer_list<Value> values, std::string_view (*name_of)(Value)) {
  const auto text = name.get<std::string>();
  for (const Value value : values)
    if (name_of(value) == text) return value;
  throw std::runtime_error(fmt::format("unknown name '{}'", text));
}

WallTime time_of(const json& time, WallTime if_null = {}) {
  return time.is_null() ? if_null : good(parse_utc(time.get<std::string>()));
}

std::string text_of(const json& text) {
  return text.is_null() ? "" : text.get<std::string>();
}

Decision decision_of(const json& from) {
  Decision decision;
  decision.id = from.at("id").get<uint64_t>();
  decision.prefix = good(Prefix::parse(from.at("prefix").get<std::string>()));
  decision.from = time_of(from.at("from"));
  decision.until = time_of(from.at("until"), WallTime::max());
  decision.proven_at = time_of(from.at("proven_at"));
  decision.count = from.at("count").get<uint32_t>();
  decision.port = from.at("port").get<uint16_t>();
  decision.protocol =
      named(from.at("protocol"), {Protocol::other, Protocol::tcp, Protocol::udp, Protocol::icmp, Protocol::icmp6},
            protocol_name);
  decision.rule = rule_named(from.at("rule").get<std::string>());
  decision.scope = named(from.at("scope"), {Scope::quiet, Scope::full}, scope_name);
  decision.origin = named(from.at("origin"),
                          {Origin::local, Origin::manual, Origin::imported, Origin::feed, Origin::fleet}, origin_name);
  decision.proof = named(from.at("proof"), {Proof::forgeable, Proof::handshake, Proof::application}, proof_name);
  decision.repeat = from.at("repeat").get<uint8_t>();
  return decision;
}

// Only the daemon has words for what rules of files have found; they come first in the note.
std::string note_of(const json& from, const Decision& decision) {
  std::string note = text_of(from.at("note"));
  if (decision.rule <= Rule::recovered) return note;
  const auto reason = from.at("reason").get<std::string>();
  return note.empty() ? reason : reason + ": " + note;
}

BanView ban_of(const json& from) {
  const Decision decision = decision_of(from);
  return {decision, note_of(from, decision), from.at("hits").get<uint64_t>(), time_of(from.at("last_seen"))};
}

SourceStatus source_of(const json& from) {
  SourceStatus source;
  source.name = from.at("name").get<std::string>();
  source.counters = {from.at("lines").get<uint64_t>(), from.at("bytes").get<uint64_t>(),
                     from.at("cut_lines").get<uint64_t>(), from.at("lost_lines").get<uint64_t>()};
  source.trouble = text_of(from.at("trouble"));
  return source;
}

EnforcementStatus enforcement_of(const json& from) {
  EnforcementStatus status;
  for (const json& one : from.at("interfaces"))
    status.interfaces.push_back({one.at("name").get<std::string>(), text_of(one.at("mode")),
                                 one.at("reasons").get<std::vector<std::string>>()});
  status.reasons = from.at("reasons").get<std::vector<std::string>>();
  status.kernel_bytes = from.at("kernel_bytes").get<uint64_t>();
  status.runs = from.at("runs").get<uint64_t>();
  status.run_ns = from.at("run_ns").get<uint64_t>();
  for (const auto& [name, count] : from.at("packets").items()) status.packets.push_back({name, count.get<uint64_t>()});
  return status;
}

StatusReply status_reply_of(const json& from) {
  StatusReply status;
  status.version = from.at("version").get<std::string>();
  status.pid = from.at("pid").get<int64_t>();
  status.started = time_of(from.at("started"));
  status.profile = from.at("profile").get<std::string>();
  status.enforcer = from.at("enforcer").get<std::string>();
  status.enforcement = enforcement_of(from.at("enforcement"));
  status.bans_intended = from.at("bans").at("intended").get<uint64_t>();
  status.bans_in_kernel = from.at("bans").at("in_kernel").get<uint64_t>();
  status.quiet = from.at("bans").at("quiet").get<uint64_t>();
  status.full = from.at("bans").at("full").get<uint64_t>();
  status.allowed = from.at("allowed").get<uint64_t>();
  for (const json& source : from.at("sources")) status.sources.push_back(source_of(source));
  for (const auto& [name, count] : from.at("counters").items())
    status.counters.push_back({name, count.get<uint64_t>()});
  status.open_tcp = from.at("open_ports").at("tcp").get<std::vector<std::string>>();
  status.open_udp = from.at("open_ports").at("udp").get<std::vector<std::string>>();
  status.protected_now = from.at("protected").get<std::vector<std::string>>();
  status.troubles = from.at("troubles").get<std::vector<std::string>>();
  return status;
}

AllowedReply allowed_of(const json& from) {
  AllowedReply reply;
  for (const json& one : from.at("allowed"))
    reply.allowed.push_back({good(Prefix::parse(one.at("prefix").get<std::string>())), one.at("by").get<std::string>(),
                             time_of(one.at("from")), time_of(one.at("until"), WallTime::max()),
                             one.at("note").get<std::string>()});
  return reply;
}

ExplainReply why_of(const json& from) {
  ExplainReply why;
  why.address = good(Address::parse(from.at("address").get<std::string>()));
  if (!from.at("ban").is_null()) why.ban = ban_of(from.at("ban"));
  why.exempt = text_of(from.at("exempt"));
  for (const json& past : from.at("decisions"))
    why.decisions.push_back({decision_of(past), note_of(past, decision_of(past)), text_of(past.at("how_it_ended"))});
  for (const json& one : from.at("evidence")) {
    why.evidence.push_back({time_of(one.at("at")), good(Address::parse(one.at("source").get<std::string>())),
                            rule_named(one.at("rule").get<std::string>()), one.at("line").get<std::string>()});
  }
  why.advice = from.at("advice").get<std::vector<std::string>>();
  return why;
}

ProgressReply progress_of(const json& from) {
  ProgressReply reply;
  reply.address = good(Address::parse(from.at("address").get<std::string>()));
  for (const json& one : from.at("counts")) {
    reply.counts.push_back({rule_named(one.at("rule").get<std::string>()),
                            good(Prefix::parse(one.at("subject").get<std::string>())), one.at("count").get<uint32_t>(),
                            one.at("enough").get<uint32_t>(), good(parse_duration(one.at("within").get<std::string>())),
                            time_of(one.at("newest"))});
  }
  return reply;
}

std::variant<Change, Dropped> record_of(const json& from) {
  if (from.contains("dropped")) return Dropped{from.at("dropped").get<uint64_t>()};
  const ChangeKind kind = named(from.at("change"),
                                {ChangeKind::added, ChangeKind::moved, ChangeKind::ended, ChangeKind::lifted,
                                 ChangeKind::absorbed, ChangeKind::evicted},
                                change_name);
  const Decision decision = decision_of(from);
  return Change{kind, decision, time_of(from.at("at")), note_of(from, decision)};
}

}  // namespace

Result<StatusReply> read_status(std::string_view text) {
  return read_as<StatusReply>(text, status_reply_of);
}

Result<BansReply> read_bans(std::string_view text) {
  // A million bans as a JSON tree would take gigabytes, so each is taken out as soon as it is complete.
  BansReply reply;
  try {
    const json rest = json::parse(text, [&](int, json::parse_event_t event, const json& parsed) {
      if (event != json::parse_event_t::object_end || !parsed.contains("prefix")) return true;
      reply.bans.push_back(ban_of(parsed));
      return false;
    });
    reply.total = rest.at("total").get<uint64_t>();
  } catch (const std::exception& misread) {
    return fail(fmt::format("read the daemon's reply: {}; is it of another version?", escape_controls(misread.what())));
  }
  return reply;
}

Result<AllowedReply> read_allowed(std::string_view text) {
  return read_as<AllowedReply>(text, allowed_of);
}

Result<ExplainReply> read_why(std::string_view text) {
  return read_as<ExplainReply>(text, why_of);
}

Result<ProgressReply> read_progress(std::string_view text) {
  return read_as<ProgressReply>(text, progress_of);
}

Result<BanReply> read_ban(std::string_view text) {
  return read_as<BanReply>(text, [](const json& from) { return BanReply{ban_of(from.at("ban"))}; });
}

Result<CountReply> read_count(std::string_view text) {
  return read_as<CountReply>(text, [](const json& from) { return CountReply{from.at("lifted").get<uint64_t>()}; });
}

Result<DoneReply> read_done(std::string_view text) {
  return read_as<DoneReply>(
      text, [](const json& from) { return DoneReply{from.at("notes").get<std::vector<std::string>>()}; });
}

Result<std::variant<Change, Dropped>> read_record(std::string_view text) {
  return read_as<std::variant<Change, Dropped>>(text, record_of);
}

std::string body_json(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  nlohmann::ordered_json body = nlohmann::ordered_json::object();
  for (const auto& [name, value] : members)
    if (!value.empty()) body[std::string(name)] = value;
  return body.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::ordered_json::error_handler_t::replace);
}

Error read_error(std::string_view text, long http_status) {
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto member = [&](const char* name) {
    return answer.is_object() && answer.contains(name) && answer[name].is_string() ? answer[name].get<std::string>()
                                                                                   : std::string();
  };
  const std::string sentence = member("error");
  if (sentence.empty()) return Error{fmt::format("the daemon refused with HTTP status {}", http_status)};
  const std::string kind = member("kind");
  if (kind == "usage") return Error::usage(sentence);
  if (kind == "not_found") return Error::not_found(sentence);
  if (kind == "bad_config") return Error::bad_config(sentence);
  return Error{sentence};
}

}  // namespace palang
