#include "app/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "host/established.hpp"
#include "parse/packet.hpp"

namespace palang {
namespace {

constexpr Duration kernel_retry{1s};
constexpr Duration save_positions_every{1s};
constexpr Duration news_for_ports{1min};  // only fresh lines say how the firewall is now

Decider::Looks looks_for(const Config& config) {
  return config.enforce.backend == EnforceSettings::Backend::dry_run ? Decider::Looks::none
                                                                     : Decider::Looks::kernel_counters;
}

// The rule of the last decision; what it pushed out of the list may stand behind it.
Rule newest_rule(std::span<const Change> changes) {
  for (size_t i = changes.size(); i > 0; --i)
    if (changes[i - 1].kind == ChangeKind::added) return changes[i - 1].decision.rule;
  return Rule::blocked;
}

// Whose connections are to be cut.
std::vector<Prefix> shut_out_by(std::span<const Change> changes, WallTime now) {
  std::vector<Prefix> prefixes;
  for (const Change& change : changes)
    if (change.kind == ChangeKind::added && change.decision.scope == Scope::full && change.decision.until > now)
      prefixes.push_back(change.decision.prefix);
  return prefixes;
}

}  // namespace

Gate::Gate(Parts parts, HashSeed seed)
    : config_(std::move(parts.config)),
      enforcer_(std::move(parts.enforcer)),
      ledger_(std::move(parts.ledger)),
      socket_killer_(std::move(parts.socket_killer)),
      judge_(config_->policy, seed, looks_for(*config_)),
      book_(std::move(parts.book)),
      ports_(config_->open.declared, config_->open.detect),
      reconcile_every_(parts.reconcile_every) {
  if (ledger_) judge_.rules().keep_pending();
}

void Gate::restore(const Snapshot& snapshot, WallTime now) {
  judge_.decider().continue_after(snapshot.last_id);
  judge_.decider().restore_past(snapshot.past);
  judge_.decider().restore_active(snapshot.active, now);
  restore_pardons(snapshot.past);
  judge_.detectors().restore(snapshot.pending, now);
  judge_.rules().restore(snapshot.pending, now);
  allowed_ = snapshot.allowed;
  for (const Position& position : snapshot.positions) remember_position(position, true);
}

// Lines from before an unban may still lie unread: the newest pardons stand, older ones are behind every reader.
void Gate::restore_pardons(std::span<const PastDecision> oldest_first) {
  constexpr int most = 5'000;
  int restored = 0;
  for (auto past = oldest_first.rbegin(); past != oldest_first.rend() && restored < most; ++past) {
    if (!past->lifted) continue;
    judge_.pardon(past->prefix, past->until);
    ++restored;
  }
}

void Gate::adopt_kernel_bans(WallTime now) {
  const auto held = enforcer_->held(now);
  if (!held) return kernel_failed(held.error(), now);
  if (held->empty()) return;
  LedgerBatch batch;
  for (const Ban& ban : *held) {
    Decision decision;
    decision.prefix = ban.prefix;
    decision.from = decision.proven_at = now;
    decision.until = ban.until;
    decision.rule = Rule::recovered;
    decision.scope = ban.scope;
    judge_.decider().impose(decision, {}, batch.changes);
  }
  log_notice(fmt::format("took over {} bans that the kernel still held; their history is lost", held->size()));
  if (ledger_) ledger_->commit(std::move(batch));
}

void Gate::judge_batch(LineReader& reader, const Source::Batch& read, Position position, WallTime now) {
  Portion portion;
  for (const RawLine& raw : read.lines) {
    const ParsedLine parsed = reader.parse(raw);
    LineFate fate = parsed.fate;
    if (fate == LineFate::judged) {
      if (const auto rule = judge_event(parsed.event, portion, now)) keep_evidence(parsed.event, *rule, portion);
    } else if (fate == LineFate::not_ours || fate == LineFate::no_header) {
      events_.clear();
      fate = reader.by_rules(raw, fate, book_, events_);
      for (const Event& event : events_)
        if (const auto rule = judge_event(event, portion, now)) keep_evidence(event, *rule, portion);
    }
    ++line_counts_[static_cast<size_t>(fate)];
  }
  for (const RawPacket& raw : read.packets) {
    const ParsedLine parsed = parse_packet(raw);
    ++line_counts_[static_cast<size_t>(parsed.fate)];
    if (parsed.fate != LineFate::judged) continue;
    if (const auto rule = judge_event(parsed.event, portion, now))
      portion.batch.evidence.push_back({parsed.event.at, parsed.event.source, *rule, describe_packet(raw)});
  }
  for (const Event& event : read.events) {
    ++line_counts_[static_cast<size_t>(LineFate::judged)];
    if (const auto rule = judge_event(event, portion, now))
      portion.batch.evidence.push_back({event.at, event.source, *rule, event_text(event)});
  }
  LedgerBatch& batch = portion.batch;
  note_pending(batch, portion.watched, portion.decided);
  const bool something = !batch.changes.empty() || !batch.evidence.empty() || !batch.pending.empty();
  remember_position(position, something);
  if (something) {
    batch.positions.push_back(std::move(position));
    carry_out(std::move(batch), now);
  }
  if (!portion.unclaimed.empty()) remove_unclaimed(portion.unclaimed, now);
  if (portion.ports_changed) close_refused_ports(now);
}

std::optional<Rule> Gate::judge_event(const Event& event, Portion& portion, WallTime now) {
  const bool by_firewall = event.rule == Rule::blocked;
  if (event.port_is_closed && event.at + news_for_ports > now)
    portion.ports_changed |= ports_.note_refused(event.protocol, event.port, event.source, now);
  if (!by_firewall) {
    const auto id = static_cast<size_t>(event.rule);
    if (rule_events_.size() <= id) rule_events_.resize(id + 1);
    ++rule_events_[id];
  }
  const Verdict verdict = judge_.observe(event, now, portion.batch.changes);
  portion.last_decided = verdict == Verdict::decided;
  const Prefix source = Prefix::of(event.source);
  if (event.counted > 0 && judge_.decider().active().find(source) == ActiveBans::none)
    portion.unclaimed.push_back(source);
  if (verdict != Verdict::watched && verdict != Verdict::decided) return {};
  // What nearly every visitor does is no evidence before it is too much.
  if (verdict == Verdict::watched && !by_firewall && judge_.rules().is_brief(event.rule)) return {};
  if (by_firewall) (verdict == Verdict::watched ? portion.watched : portion.decided).push_back(event.source);
  return verdict == Verdict::decided ? newest_rule(portion.batch.changes) : event.rule;
}

void Gate::keep_evidence(const Event& event, Rule rule, Portion& portion) {
  constexpr size_t most_evidence = 512;
  auto& evidence = portion.batch.evidence;
  if (portion.evident == event.line.data() && !evidence.empty() && evidence.back().source == event.source) {
    if (portion.last_decided) evidence.back().rule = rule;
    return;
  }
  evidence.push_back({event.at, event.source, rule, std::string(event.line.substr(0, most_evidence))});
  portion.evident = event.line.data();
}

// Another firewall seems to refuse a port. Before quiet bans reach it, strangers who use it are looked for: they prove
// that it is open all the same.
void Gate::close_refused_ports(WallTime now) {
  const auto is_exempt = [&](const Address& address) { return judge_.exemptions().exempts(address, now); };
  const auto used = ports_in_use_by_strangers(HostRoot{}, ports_.refused_tcp(now), is_exempt);
  if (!used) return log_warning(used.error().text);
  ports_.note_used_by_strangers(*used, now);
  reconcile_surroundings(now);
}

// Counts that led to no finding yet must survive a restart, and those that did must not come back.
void Gate::note_pending(LedgerBatch& batch, std::span<const Address> watched, std::span<const Address> decided) {
  judge_.rules().take_pending(batch.pending);
  const DetectSettings& detect = config_->policy.detect;
  std::vector<Address> distinct(watched.begin(), watched.end());
  std::ranges::sort(distinct);
  distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
  for (const Address& address : distinct)
    for (Pending& pending : judge_.detectors().pending_of(address)) batch.pending.push_back(std::move(pending));
  const bool first_sight = detect.blocked.enabled && detect.blocked.after <= 1;
  if (first_sight) return;
  for (const Address& address : decided)
    for (const Rule rule : {Rule::blocked, Rule::portscan})
      batch.pending.push_back({rule, Prefix::of(address), {}, {}});
}

void Gate::carry_out(LedgerBatch batch, WallTime now) {
  const std::vector<Prefix> shut_out = shut_out_by(batch.changes, now);
  if (!batch.changes.empty()) {
    enforce(batch.changes, now);
    log_changes(batch.changes, now);
    if (publish_) publish_(batch.changes);
  }
  if (ledger_) ledger_->commit(std::move(batch));
  if (!shut_out.empty()) cut_connections(shut_out, now);
}

void Gate::enforce(std::span<const Change> changes, WallTime now) {
  const auto gone_by_itself = [](const Change& change) { return change.kind == ChangeKind::ended; };
  if (std::ranges::all_of(changes, gone_by_itself)) return;
  if (const auto done = enforcer_->apply(changes, now); !done) kernel_failed(done.error(), now);
}

void Gate::cut_connections(std::span<const Prefix> peers, WallTime now) {
  if (!socket_killer_) return;
  bool looked = false;
  const auto is_exempt = [&](const Address& address) {
    // One of them is connected, and may be an admin who logged in since the last look at the host.
    if (!std::exchange(looked, true)) use_host_facts(look_at_host(ports_to_ask_about(now)), now);
    return judge_.exemptions().exempts(address, now);
  };
  const auto killed = socket_killer_->kill(peers, is_exempt);
  if (!killed) return log_warning(killed.error().text);
  if (*killed > 0) log_info(fmt::format("cut {} connections of banned peers", *killed));
}

void Gate::log_changes(std::span<const Change> changes, WallTime now) {
  constexpr int most_per_second = 20;
  for (const Change& change : changes) {
    if (change.kind != ChangeKind::added && change.kind != ChangeKind::lifted) continue;
    if (now - log_second_ >= Duration{1s}) {
      if (unlogged_ > 0) log_info(fmt::format("and {} more decisions", unlogged_));
      log_second_ = now;
      logged_this_second_ = 0;
      unlogged_ = 0;
    }
    if (++logged_this_second_ > most_per_second) {
      ++unlogged_;
      continue;
    }
    const Decision& decision = change.decision;
    if (change.kind == ChangeKind::lifted) {
      log_info(fmt::format("lifted the ban of {}", decision.prefix.text()));
    } else {
      log_info(fmt::format("banned {} ({}) for {}: {}", decision.prefix.text(), scope_name(decision.scope),
                           approximate_duration(decision.until - decision.from), reason_text(decision)));
    }
  }
}

void Gate::tick(WallTime now) {
  LedgerBatch batch;
  std::vector<ActiveBans::Slot> looks;
  judge_.decider().advance(now, batch.changes, looks);
  look_at_counters(looks, batch.changes, now);
  if (!batch.changes.empty()) carry_out(std::move(batch), now);
  std::erase_if(allowed_, [now](const AllowEntry& entry) { return entry.until <= now; });
  if (now - positions_saved_ >= save_positions_every || now < positions_saved_) save_positions(now);
  if (ledger_ && ledger_->needs_resync()) save_everything(now);
  if (retry_kernel_ && now >= *retry_kernel_) reconcile(now);
  if (reconcile_every_ && now - reconciled_ >= *reconcile_every_) reconcile(now);
}

void Gate::save_positions(WallTime now) {
  positions_saved_ = now;
  LedgerBatch batch;
  add_unsaved_positions(batch);
  if (!batch.positions.empty()) carry_out(std::move(batch), now);
}

void Gate::add_unsaved_positions(LedgerBatch& batch) {
  for (Waiting& waiting : positions_) {
    if (waiting.dirty) batch.positions.push_back(waiting.position);
    waiting.dirty = false;
  }
}

void Gate::look_at_counters(std::span<const ActiveBans::Slot> looks, std::vector<Change>& changes, WallTime now) {
  if (looks.empty()) return;
  const ActiveBans& active = judge_.decider().active();
  std::vector<Ban> bans;
  for (const auto slot : looks) bans.push_back({active.prefix(slot), active.ban(slot).scope, active.ban(slot).told});
  const auto hits = enforcer_->hits(bans);
  if (!hits) return kernel_failed(hits.error(), now);
  for (const Hits& hit : *hits) {
    const auto slot = active.find(hit.prefix);
    if (slot != ActiveBans::none) judge_.decider().look(slot, now, hit.packets, changes);
  }
}

void Gate::save_everything(WallTime now) {
  Resync whole;
  whole.at = now;
  const ActiveBans& active = judge_.decider().active();
  whole.active.reserve(active.size());
  active.for_each([&](ActiveBans::Slot slot) { whole.active.push_back(active.decision(slot)); });
  for (const Waiting& waiting : positions_) whole.positions.push_back(waiting.position);
  whole.allowed = allowed_;
  ledger_->replace(std::move(whole));
}

void Gate::remember_position(const Position& position, bool saved) {
  for (Waiting& waiting : positions_) {
    if (waiting.position.source != position.source) continue;
    waiting.dirty = !saved && (waiting.dirty || waiting.position.value != position.value);
    waiting.position = position;
    return;
  }
  positions_.push_back({position, !saved});
}

void Gate::reconcile(WallTime now) {
  retry_kernel_.reset();
  reconciled_ = now;
  const auto report = enforcer_->reconcile(intended(now), Enforcer::Extra::remove, now);
  if (!report) return kernel_failed(report.error(), now);
  if (!kernel_trouble_.empty()) log_notice("the kernel takes our changes again");
  kernel_trouble_.clear();
  log_debug(fmt::format("kernel and ledger agree: {} bans; {} added, {} removed, {} refreshed, {} rewritten",
                        judge_.decider().active().size(), report->added, report->removed, report->refreshed,
                        report->rewritten));
}

void Gate::reconcile_surroundings(WallTime now) {
  Intended surroundings;
  surroundings.allowed = everything_allowed();
  told_ports_ = surroundings.open = ports_.current(now);
  if (const auto report = enforcer_->reconcile(surroundings, Enforcer::Extra::keep, now); !report)
    kernel_failed(report.error(), now);
}

Intended Gate::intended(WallTime now) const {
  Intended all;
  const ActiveBans& active = judge_.decider().active();
  all.bans.emplace();
  all.bans->reserve(active.size());
  active.for_each([&](ActiveBans::Slot slot) {
    if (active.ban(slot).until > now)
      all.bans->push_back({active.prefix(slot), active.ban(slot).scope, active.ban(slot).until,
                           knock_of(active.ban(slot).origin, active.ban(slot).repeat)});
  });
  all.allowed = everything_allowed();
  all.open = ports_.current(now);
  return all;
}

std::vector<Allowed> Gate::everything_allowed() const {
  std::map<Prefix, WallTime> until;
  for (const Prefix& prefix : config_->policy.allow) until[prefix] = WallTime::max();
  for (const Exempt& exempt : facts_.exempt) until[exempt.prefix] = WallTime::max();
  for (const AllowEntry& entry : allowed_) until[entry.prefix] = std::max(until[entry.prefix], entry.until);
  std::vector<Allowed> all;
  for (const auto& [prefix, end] : until) all.push_back({prefix, end});
  return all;
}

void Gate::on_foreign_change(ForeignChange change, std::string_view what, WallTime now) {
  if (change == ForeignChange::none) return;
  constexpr int most_per_second = 20;  // somebody may flush in a loop
  if (now - rebuild_second_ >= Duration{1s} || now < rebuild_second_) {
    rebuild_second_ = now;
    rebuilds_this_second_ = 0;
  }
  if (++rebuilds_this_second_ > most_per_second) {
    retry_kernel_ = now + kernel_retry;
    return;
  }
  ++rebuilds_;
  log_warning(fmt::format("somebody changed {}; it is rebuilt", what));
  if (change == ForeignChange::structure) return reconcile_surroundings(now);
  reconcile(now);
}

void Gate::kernel_failed(const Error& error, WallTime now) {
  if (kernel_trouble_ != error.text) log_error(error.text + "; will be tried again");
  kernel_trouble_ = error.text;
  retry_kernel_ = now + kernel_retry;
}

}  // namespace palang
