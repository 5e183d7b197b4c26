#include "app/answers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/version.hpp"

namespace palang {
namespace {

constexpr Duration durable_timeout{5s};

bool matches(const Decision& decision, const ListBans& question) {
  if (question.within && !question.within->overlaps(decision.prefix)) return false;
  if (question.rule && *question.rule != decision.rule) return false;
  if (question.scope && *question.scope != decision.scope) return false;
  return !question.origin || *question.origin == decision.origin;
}

bool comes_before(const BanView& a, const BanView& b, ListBans::Order order) {
  switch (order) {
    case ListBans::Order::until: return a.decision.until < b.decision.until;
    case ListBans::Order::hits: return a.hits > b.hits;
    case ListBans::Order::prefix: return a.decision.prefix < b.decision.prefix;
    case ListBans::Order::from: break;
  }
  return a.decision.from != b.decision.from ? a.decision.from > b.decision.from : a.decision.id > b.decision.id;
}

std::vector<std::string> port_names(const PortSet& ports) {
  std::vector<std::string> names;
  for (const uint16_t port : ports.list()) names.push_back(std::to_string(port));
  return names;
}

std::vector<std::string> advice_for(const ExplainReply& reply) {
  const std::string address = reply.address.text();
  std::vector<std::string> advice;
  if (reply.ban) {
    const Prefix& prefix = reply.ban->decision.prefix;
    advice.push_back(fmt::format("If this is a friend: 'palang allow {}' lets it through for good.", address));
    advice.push_back(fmt::format("To end this ban now: 'palang unban {}'.", prefix.text()));
    if (reply.ban->decision.scope == Scope::quiet)
      advice.emplace_back("It is quiet: ports that are open to the public stay open to this address.");
  } else if (reply.exempt.empty()) {
    advice.push_back(fmt::format("To stop it by hand: 'palang ban {} --for 3d --reason …'.", address));
  }
  return advice;
}

}  // namespace

Answers::Answers(Gate& gate, const std::vector<Intake>& intakes, const std::vector<std::string>& rule_faults,
                 const Clock& clock, Actions actions)
    : gate_(gate),
      intakes_(intakes),
      rule_faults_(rule_faults),
      clock_(clock),
      actions_(std::move(actions)),
      history_(gate.config().ledger.path),
      started_(clock.now()) {}

Result<Reply> Answers::handle(const Command& command) {
  return std::visit([this](const auto& one) { return answer(one); }, command);
}

Result<Reply> Answers::answer(const GetStatus&) {
  const WallTime now = clock_.now();
  const ActiveBans& active = gate_.judge().decider().active();
  StatusReply reply;
  reply.version = version;
  reply.pid = ::getpid();
  reply.started = started_;
  reply.profile = gate_.config().profile;
  reply.enforcer = gate_.enforcement().name();
  reply.enforcement = gate_.enforcement().status();
  reply.bans_intended = active.size();
  reply.bans_in_kernel = bans_in_kernel(now);
  reply.quiet = active.size_of(Scope::quiet);
  reply.full = active.size_of(Scope::full);
  reply.allowed = gate_.allowed().size() + gate_.config().allow.size();
  for (const Intake& intake : intakes_)
    reply.sources.push_back({intake.source->name(), intake.source->counters(), intake.current_trouble()});
  reply.counters = counters();
  const PublicPorts open = gate_.open_ports(now);
  reply.open_tcp = port_names(open.tcp);
  reply.open_udp = port_names(open.udp);
  for (const Exempt& exempt : gate_.host_facts().exempt) reply.protected_now.push_back(exempt.text());
  reply.troubles = troubles();
  return reply;
}

std::vector<NamedCount> Answers::counters() {
  const Judge& judge = gate_.judge();
  std::vector<NamedCount> all;
  for (size_t i = 0; i < line_fates; ++i)
    all.push_back({fmt::format("lines_{}", line_fate_name(static_cast<LineFate>(i))), gate_.line_counts()[i]});
  for (size_t i = 0; i < verdicts; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    all.push_back({fmt::format("events_{}", verdict_name(verdict)), judge.count(verdict)});
  }
  all.push_back({"sources_tracked", judge.detectors().tracked() + judge.rules().tracked()});
  all.push_back({"sources_evicted", judge.detectors().evicted() + judge.rules().evicted()});
  all.push_back({"rules_loaded", gate_.book().size()});
  all.push_back({"rule_searches_given_up", gate_.book().given_up()});
  all.push_back({"jail_sessions_evicted", gate_.book().jails.sessions_evicted()});
  all.push_back({"bans_evicted", judge.decider().evicted()});
  all.push_back({"subjects_forgotten", judge.decider().forgotten()});
  all.push_back({"kernel_table_rebuilds", gate_.rebuilds()});
  if (Ledger* ledger = gate_.ledger()) {
    const LedgerHealth health = ledger->health();
    all.push_back({"ledger_commits", health.commits});
    all.push_back({"ledger_queued", health.queued_batches});
    all.push_back({"ledger_dropped", health.dropped});
  }
  return all;
}

std::vector<std::string> Answers::troubles() {
  std::vector<std::string> all;
  if (!gate_.kernel_trouble().empty()) all.push_back(gate_.kernel_trouble());
  if (Ledger* ledger = gate_.ledger()) {
    const LedgerHealth health = ledger->health();
    if (!health.trouble.empty())
      all.push_back(
          fmt::format("{} (for {}; protecting from memory)", health.trouble, approximate_duration(health.lasting)));
  }
  for (const Intake& intake : intakes_)
    if (std::string trouble = intake.current_trouble(); !trouble.empty()) all.push_back(std::move(trouble));
  constexpr size_t most_faults = 5;
  for (size_t i = 0; i < std::min(rule_faults_.size(), most_faults); ++i) all.push_back(rule_faults_[i]);
  if (rule_faults_.size() > most_faults)
    all.push_back(
        fmt::format("and {} more faults of rules: see 'palang rules list'", rule_faults_.size() - most_faults));
  if (intakes_.empty()) all.emplace_back("no log is read: name one under [[source]] in the configuration");
  return all;
}

// Asks the kernel for every intended ban; of long lists at most every five seconds.
uint64_t Answers::bans_in_kernel(WallTime now) {
  constexpr size_t long_list = 50'000;
  if (gate_.enforcement().touches_nothing()) return 0;
  const ActiveBans& active = gate_.judge().decider().active();
  const bool fresh = counted_at_ && now >= *counted_at_ && now - *counted_at_ < Duration{5s};
  if (active.size() > long_list && fresh) return counted_in_kernel_;
  std::vector<Ban> bans;
  bans.reserve(active.size());
  active.for_each([&](ActiveBans::Slot slot) {
    bans.push_back({active.prefix(slot), active.ban(slot).scope, active.ban(slot).told});
  });
  const auto held = gate_.kernel_hits(bans);
  counted_in_kernel_ = held ? held->size() : 0;
  counted_at_ = now;
  return counted_in_kernel_;
}

BanView Answers::view(ActiveBans::Slot slot) {
  const ActiveBans& active = gate_.judge().decider().active();
  BanView view;
  view.decision = active.decision(slot);
  view.hits = active.ban(slot).hits - std::min(active.ban(slot).kernel_hits, active.ban(slot).hits);
  view.last_seen = active.ban(slot).last_seen;
  return view;
}

// view() leaves out what the kernel's counter shows; here it comes fresh. Notes live in the ledger.
void Answers::add_kernel_hits(std::vector<BanView>& views) {
  std::vector<Ban> bans;
  for (const BanView& view : views) bans.push_back({view.decision.prefix, view.decision.scope, view.decision.until});
  if (const auto hits = gate_.kernel_hits(bans)) {
    std::vector<Hits> sorted = *hits;
    std::ranges::sort(sorted, {}, &Hits::prefix);
    for (BanView& view : views) {
      const auto found = std::ranges::lower_bound(sorted, view.decision.prefix, {}, &Hits::prefix);
      if (found != sorted.end() && found->prefix == view.decision.prefix) view.hits += found->packets;
    }
  }
  for (BanView& view : views) {
    if (view.decision.origin != Origin::manual) continue;
    if (auto note = history_.note_of(view.decision.id)) view.note = std::move(*note);
  }
}

Result<Reply> Answers::answer(const ListBans& question) {
  const ActiveBans& active = gate_.judge().decider().active();
  BansReply reply;
  active.for_each([&](ActiveBans::Slot slot) {
    if (matches(active.decision(slot), question)) reply.bans.push_back(view(slot));
  });
  reply.total = reply.bans.size();
  if (question.order == ListBans::Order::hits) add_kernel_hits(reply.bans);
  const size_t shown = question.limit == 0 ? reply.bans.size() : std::min<size_t>(question.limit, reply.bans.size());
  std::ranges::partial_sort(reply.bans, reply.bans.begin() + static_cast<std::ptrdiff_t>(shown),
                            [&](const BanView& a, const BanView& b) { return comes_before(a, b, question.order); });
  reply.bans.resize(shown);
  if (question.order != ListBans::Order::hits) add_kernel_hits(reply.bans);
  return reply;
}

Result<Reply> Answers::answer(const ListAllowed& question) {
  AllowedReply reply;
  for (const AllowSettings& one : gate_.config().allow)
    reply.allowed.push_back({one.prefix, "configuration", {}, WallTime::max(), one.note});
  for (const AllowEntry& one : gate_.allowed())
    reply.allowed.push_back({one.prefix, "command", one.since, one.until, one.note});
  for (const Exempt& one : gate_.host_facts().exempt)
    reply.allowed.push_back({one.prefix, "host", {}, WallTime::max(), one.why});
  if (question.within)
    std::erase_if(reply.allowed, [&](const AllowedView& one) { return !question.within->overlaps(one.prefix); });
  std::ranges::stable_sort(reply.allowed, {}, &AllowedView::prefix);
  return reply;
}

Result<Reply> Answers::answer(const ExplainAddress& question) {
  constexpr size_t most_history = 100;
  const WallTime now = clock_.now();
  const ActiveBans& active = gate_.judge().decider().active();
  ExplainReply reply;
  reply.address = question.address;
  reply.exempt = gate_.why_exempt(question.address, now);
  if (const auto slot = active.covering(question.address, now); slot != ActiveBans::none) {
    std::vector<BanView> one{view(slot)};
    add_kernel_hits(one);
    reply.ban = std::move(one.front());
  }
  if (gate_.ledger() != nullptr) {
    // What was decided a moment ago may still be on its way to the ledger.
    (void)wait_until_durable();
    auto history = history_.history_of(question.address, most_history);
    if (!history && !reply.ban) return Failure(history.error());
    if (history) {
      reply.decisions = std::move(history->decisions);
      reply.evidence = std::move(history->evidence);
    }
  }
  const bool unknown = !reply.ban && reply.exempt.empty() && reply.decisions.empty() && reply.evidence.empty();
  if (unknown)
    return Failure(
        Error::not_found(fmt::format("{} was never seen: it is neither banned nor exempt, and no evidence "
                                     "against it is kept",
                                     question.address.text())));
  reply.advice = advice_for(reply);
  return reply;
}

Result<Reply> Answers::answer(const GetProgress& question) {
  const WallTime now = clock_.now();
  ProgressReply reply{question.address, gate_.judge().rules().progress_of(question.address, now)};
  const DetectSettings& detect = gate_.config().policy.detect;
  for (const Pending& pending : gate_.judge().detectors().pending_of(question.address)) {
    const bool blocked = pending.rule == Rule::blocked;
    const Duration within = blocked ? detect.blocked.within : detect.portscan.within;
    const auto is_recent = [&](WallTime at) { return at + within > now; };
    const auto count = static_cast<uint32_t>(std::ranges::count_if(pending.times, is_recent));
    const uint32_t enough = blocked ? detect.blocked.after : detect.portscan.ports;
    if (count > 0) reply.counts.push_back({pending.rule, pending.subject, count, enough, within, pending.times.back()});
  }
  return reply;
}

Result<void> Answers::wait_until_durable() {
  if (gate_.ledger() == nullptr) return {};
  return gate_.ledger()->barrier(durable_timeout);
}

// An admin's word that can't be saved holds all the same, and must not sound as if it didn't.
Result<void> Answers::expect_durable(std::string_view what_holds) {
  const auto saved = wait_until_durable();
  if (saved) return {};
  return fail(
      fmt::format("{}, but a restart forgets it unless it is saved by then: {}", what_holds, saved.error().text));
}

Result<Reply> Answers::answer(const BanPrefix& order) {
  const auto decision = gate_.ban(order, clock_.now());
  if (!decision) return Failure(decision.error());
  if (const auto saved = expect_durable(fmt::format("{} is banned", order.prefix.text())); !saved)
    return Failure(saved.error());
  const auto slot = gate_.judge().decider().active().find(decision->prefix);
  BanReply reply{view(slot)};
  reply.ban.note = order.reason;
  return reply;
}

Result<Reply> Answers::answer(const UnbanPrefix& order) {
  const auto lifted = gate_.unban(order, clock_.now());
  if (!lifted) return Failure(lifted.error());
  if (const auto saved = expect_durable(order.prefix ? order.prefix->text() + " is unbanned" : "every ban is lifted");
      !saved)
    return Failure(saved.error());
  return CountReply{*lifted};
}

Result<Reply> Answers::answer(const AllowPrefix& order) {
  const auto lifted = gate_.allow(order, clock_.now());
  if (!lifted) return Failure(lifted.error());
  if (const auto saved = expect_durable(fmt::format("{} is allowed", order.prefix.text())); !saved)
    return Failure(saved.error());
  return CountReply{*lifted};
}

Result<Reply> Answers::answer(const DisallowPrefix& order) {
  const auto done = gate_.disallow(order.prefix, clock_.now());
  if (!done) return Failure(done.error());
  if (const auto saved = expect_durable(fmt::format("{} is no longer allowed", order.prefix.text())); !saved)
    return Failure(saved.error());
  return CountReply{};
}

Result<Reply> Answers::answer(const ReloadConfig&) {
  auto done = actions_.reload();
  if (!done) return Failure(done.error());
  return *std::move(done);
}

Result<Reply> Answers::answer(const StopDaemon& order) {
  if (const auto done = actions_.stop(order.lift); !done) return Failure(done.error());
  if (gate_.enforcement().touches_nothing()) return DoneReply{{"the daemon stops; it was a dry run"}};
  return DoneReply{{order.lift ? "all bans are lifted; the daemon stops"
                               : "the daemon stops; bans stay in the kernel and end on time"}};
}

}  // namespace palang
