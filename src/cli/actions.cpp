#include "cli/actions.hpp"

#include <fmt/format.h>

#include <istream>
#include <ostream>
#include <string_view>

#include "cli/json.hpp"
#include "cli/render.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

constexpr uint64_t lines_for_people = 50;
constexpr size_t longest_record = 1'048'576;  // bytes

View view_of(const Session& session) {
  return {Style(session.console.colour), session.console.width, session.now};
}

// Asks the daemon, reads its reply with `read`, and prints either the JSON or what `render` makes of it.
template <typename Reply, typename Render>
Result<Reply> ask(const Session& session, const ApiRequest& request, Result<Reply> (*read)(std::string_view),
                  Render&& render) {
  const Result<std::string> body = session.client.fetch(request);
  if (!body) return Failure(body.error());
  Result<Reply> reply = read(*body);
  if (!reply) return reply;
  session.console.out << (session.json ? *body : render(*reply)) << std::flush;
  return reply;
}

template <typename Reply>
Result<ExitCode> ok_if(const Result<Reply>& reply) {
  if (!reply) return Failure(reply.error());
  return ExitCode::ok;
}

std::string render_notes(const DoneReply& reply, std::string_view otherwise) {
  std::string text;
  for (const std::string& note : reply.notes) text.append(printable(note)).append("\n");
  return text.empty() ? std::string(otherwise) : text;
}

Result<void> confirm_lifting_everything(const Session& session) {
  if (!session.console.in_is_terminal)
    return Failure(Error::usage("'unban --all' lifts every ban; without a terminal to ask on, it needs --yes"));
  session.console.err << "This lifts every ban: everyone gets in again. Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(session.console.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Failure(Error::usage("nothing was lifted"));
}

// Takes the stream in pieces as they come and prints each complete record.
class WatchPrinter {
 public:
  explicit WatchPrinter(const Session& session) : session_(session), view_(view_of(session)) {}

  void take(std::string_view bytes) {
    if (session_.json) {
      session_.console.out << bytes << std::flush;
      return;
    }
    rest_.append(bytes);
    size_t start = 0;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', start)) {
      print(std::string_view(rest_).substr(start, end - start));
      start = end + 1;
    }
    rest_.erase(0, start);
    if (rest_.size() > longest_record) rest_.clear();
    session_.console.out << std::flush;
  }

 private:
  void print(std::string_view line) {
    const auto record = read_record(line);
    if (record)
      session_.console.out << render_record(*record, view_);
    else
      session_.console.err << "palang: " << record.error().text << "\n";
  }

  const Session& session_;
  View view_;
  std::string rest_;
};

}  // namespace

Result<ExitCode> show_status(const Session& session) {
  return ok_if(ask<StatusReply>(session, {"GET", Target("/v1/status"), ""}, read_status,
                                [&](const StatusReply& reply) { return render_status(reply, view_of(session)); }));
}

Result<ExitCode> list(const Session& session, const ListOptions& options) {
  if (options.allowed) {
    const ApiRequest request{"GET", Target("/v1/allow").add_if_given("within", options.within), ""};
    return ok_if(ask<AllowedReply>(session, request, read_allowed,
                                   [&](const AllowedReply& reply) { return render_allowed(reply, view_of(session)); }));
  }
  const uint64_t limit = options.limit.value_or(session.json ? 0 : lines_for_people);
  Target target("/v1/bans");
  target.add_if_given("within", options.within)
      .add_if_given("rule", options.rule)
      .add_if_given("scope", options.scope)
      .add_if_given("origin", options.origin)
      .add_if_given("order", options.order)
      .add("limit", std::to_string(limit));
  const ApiRequest request{"GET", target, ""};
  if (session.json) {  // it may be long: passed on as it comes
    const auto print = [&](std::string_view bytes) { session.console.out << bytes; };
    if (auto done = session.client.stream(request, print, ApiClient::Patience::usual); !done)
      return Failure(done.error());
    session.console.out << std::flush;
    return ExitCode::ok;
  }
  return ok_if(ask<BansReply>(session, request, read_bans,
                              [&](const BansReply& reply) { return render_bans(reply, view_of(session)); }));
}

Result<ExitCode> explain(const Session& session, const std::string& address) {
  return ok_if(ask<ExplainReply>(session, {"GET", Target("/v1/why").add("address", address), ""}, read_why,
                                 [&](const ExplainReply& reply) { return render_why(reply, view_of(session)); }));
}

Result<ExitCode> ban(const Session& session, const BanOptions& options) {
  const std::string body = body_json(
      {{"prefix", options.prefix}, {"for", options.length}, {"scope", options.scope}, {"reason", options.reason}});
  return ok_if(ask<BanReply>(session, {"POST", Target("/v1/bans"), body}, read_ban,
                             [&](const BanReply& reply) { return render_ban(reply.ban, view_of(session)); }));
}

Result<ExitCode> unban(const Session& session, const UnbanOptions& options) {
  if (options.all && !options.yes)
    if (auto yes = confirm_lifting_everything(session); !yes) return Failure(yes.error());
  Target target("/v1/bans");
  if (options.all) target.add("all", "true");
  target.add_if_given("prefix", options.prefix);
  return ok_if(ask<CountReply>(session, {"DELETE", target, ""}, read_count,
                               [](const CountReply& count) { return counted(count.lifted, "ban") + " lifted.\n"; }));
}

Result<ExitCode> allow(const Session& session, const AllowOptions& options) {
  const ApiRequest add{"POST", Target("/v1/allow"),
                       body_json({{"prefix", options.prefix}, {"for", options.length}, {"note", options.note}})};
  const ApiRequest remove{"DELETE", Target("/v1/allow").add("prefix", options.prefix), ""};
  return ok_if(
      ask<CountReply>(session, options.remove ? remove : add, read_count, [&](const CountReply& count) -> std::string {
        if (options.remove) return options.prefix + " is no longer allowed; from now on it is judged like any other.\n";
        const std::string term = options.length.empty() ? "" : " for " + options.length;
        const std::string lifted = count.lifted == 0 ? "" : "; " + counted(count.lifted, "ban") + " lifted";
        return fmt::format("{} is allowed{}{}.\n", options.prefix, term, lifted);
      }));
}

Result<ExitCode> watch(const Session& session) {
  WatchPrinter printer(session);
  const ApiRequest request{"GET", Target("/v1/watch"), ""};
  const auto take = [&](std::string_view bytes) { printer.take(bytes); };
  if (auto done = session.client.stream(request, take, ApiClient::Patience::endless); !done)
    return Failure(done.error());
  return fail("the daemon ended the stream");
}

Result<ExitCode> reload(const Session& session) {
  return ok_if(ask<DoneReply>(session, {"POST", Target("/v1/reload"), ""}, read_done, [](const DoneReply& reply) {
    return render_notes(reply, "The configuration was read again.\n");
  }));
}

Result<ExitCode> stop(const Session& session, bool lift) {
  const ApiRequest request{"POST", Target("/v1/stop"), lift ? R"({"lift":true})" : ""};
  return ok_if(ask<DoneReply>(session, request, read_done, [&](const DoneReply& reply) {
    return render_notes(reply, lift ? "The daemon stops; every ban was lifted.\n"
                                    : "The daemon stops; bans stay in the kernel until they end.\n");
  }));
}

}  // namespace palang
