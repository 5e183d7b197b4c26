// What admins and the host itself decide: bans and allowances by hand, exemptions, another configuration.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/gate.hpp"
#include "base/log.hpp"

namespace palang {
namespace {

// Wider than any network one party holds; a ban like that would be an outage.
constexpr unsigned widest_v4 = 8;
constexpr unsigned widest_v6 = 16;

// `verb` and what it would do to nearly everyone.
Result<void> check_width(const Prefix& prefix, std::string_view verb, std::string_view effect) {
  const unsigned widest = prefix.is_v4() ? widest_v4 : widest_v6;
  if (prefix.length() >= widest) return {};
  return Failure(Error::usage(fmt::format("{} {}: that would {} nearly everyone; the widest to {} is a /{}", verb,
                                          prefix.text(), effect, verb, widest)));
}

}  // namespace

Result<Decision> Gate::ban(const BanPrefix& order, WallTime now) {
  if (const auto fine = check_width(order.prefix, "ban", "shut out"); !fine) return Failure(fine.error());
  const auto refuse = [&] {
    const std::string why = why_exempt(order.prefix.address(), now);
    return Failure(Error::usage(fmt::format("ban {}: it is allowed ({})", order.prefix.text(), why)));
  };
  if (judge_.exemptions().exempts(order.prefix, now)) return refuse();
  Decision decision;
  decision.prefix = order.prefix;
  decision.from = decision.proven_at = now;
  decision.until = now + order.length.value_or(judge_.decider().length_for(order.prefix, now));
  decision.rule = Rule::manual;
  decision.scope = order.scope.value_or(Scope::full);
  decision.origin = Origin::manual;
  decision.proof = Proof::application;
  LedgerBatch batch;
  decision = judge_.decider().impose(decision, order.reason, batch.changes);
  carry_out(std::move(batch), now);
  if (judge_.exemptions().exempts(order.prefix, now)) return refuse();  // an admin who logged in a moment ago
  if (!kernel_trouble_.empty()) return fail(kernel_trouble_);
  return decision;
}

Result<uint64_t> Gate::unban(const UnbanPrefix& order, WallTime now) {
  LedgerBatch batch;
  Decider& decider = judge_.decider();
  const uint64_t lifted =
      order.prefix ? decider.lift(*order.prefix, now, batch.changes) : decider.lift_all(now, batch.changes);
  if (order.prefix && lifted == 0) {
    const auto wider = decider.active().covering(order.prefix->address(), now);
    if (wider == ActiveBans::none)
      return Failure(Error::not_found(fmt::format("unban {}: it is not banned", order.prefix->text())));
    return Failure(Error::not_found(fmt::format(
        "unban {0}: it has no ban of its own, but {1} has: lift that with 'palang unban {1}', or let {0} alone "
        "through with 'palang allow {0}'",
        order.prefix->text(), decider.active().prefix(wider).text())));
  }
  const std::array everyone{Prefix::of_length(Address::v4(0), 0), Prefix::of_length(Address{}, 0)};
  for (const Prefix& prefix : order.prefix ? std::span(&*order.prefix, 1) : std::span(everyone))
    judge_.pardon(prefix, now);
  add_unsaved_positions(batch);  // or a restart would judge lines again that led to what is lifted now
  carry_out(std::move(batch), now);
  if (!kernel_trouble_.empty()) return fail(kernel_trouble_);
  return lifted;
}

Result<uint64_t> Gate::allow(const AllowPrefix& order, WallTime now) {
  if (const auto fine = check_width(order.prefix, "allow", "let in"); !fine) return Failure(fine.error());
  AllowEntry entry{order.prefix, now, order.length ? now + *order.length : WallTime::max(), order.note};
  std::erase_if(allowed_, [&](const AllowEntry& other) { return other.prefix == order.prefix; });
  allowed_.push_back(entry);
  LedgerBatch batch;
  batch.allowed.push_back(std::move(entry));
  const uint64_t lifted = judge_.decider().lift(order.prefix, now, batch.changes);
  carry_out(std::move(batch), now);
  renew_exemptions(now);
  reconcile_surroundings(now);
  if (!kernel_trouble_.empty()) return fail(kernel_trouble_);
  return lifted;
}

Result<void> Gate::disallow(const Prefix& prefix, WallTime now) {
  const auto removed = std::erase_if(allowed_, [&](const AllowEntry& entry) { return entry.prefix == prefix; });
  if (removed == 0) {
    const bool configured = std::ranges::find(config_->policy.allow, prefix) != config_->policy.allow.end();
    return Failure(Error::not_found(fmt::format(
        "allow --remove {}: {}", prefix.text(),
        configured ? "it is allowed by the configuration file; remove it there" : "it was not allowed by a command")));
  }
  LedgerBatch batch;
  batch.disallowed.push_back(prefix);
  carry_out(std::move(batch), now);
  renew_exemptions(now);
  reconcile_surroundings(now);
  if (!kernel_trouble_.empty()) return fail(kernel_trouble_);
  return {};
}

void Gate::use_policy_ports(const std::optional<PublicPorts>& ports, WallTime now) {
  if (ports == policy_ports_) return;
  policy_ports_ = ports;
  ports_.use_policy(ports);
  reconcile_surroundings(now);
}

void Gate::use_host_facts(HostFacts facts, WallTime now) {
  const bool same_exempt = facts.exempt == facts_.exempt;
  std::vector<Prefix> news;
  for (const Exempt& exempt : facts.exempt)
    if (std::ranges::find(facts_.exempt, exempt) == facts_.exempt.end()) news.push_back(exempt.prefix);
  facts_ = std::move(facts);
  ports_.note_listening(facts_.listening, now);
  ports_.note_used_by_strangers(facts_.used_by_strangers, now);
  if (!same_exempt) renew_exemptions(now);
  tell_xdp(now);

  LedgerBatch batch;
  for (const Prefix& prefix : news) judge_.decider().lift(prefix, now, batch.changes);
  for (const Change& change : batch.changes)
    log_notice(fmt::format("the ban of {} gives way: {}", change.decision.prefix.text(),
                           why_exempt(change.decision.prefix.address(), now)));
  if (!batch.changes.empty()) carry_out(std::move(batch), now);
  if (!same_exempt || !(ports_.current(now) == told_ports_)) reconcile_surroundings(now);
}

void Gate::use_config(std::shared_ptr<const Config> config, RuleBook book, WallTime now) {
  config_ = std::move(config);
  book_ = std::move(book);
  judge_.use(config_->policy);
  enforcer_->use(*config_);
  PublicPortTracker fresh(config_->open.declared, config_->open.detect);
  fresh.note_listening(facts_.listening, now);
  fresh.use_policy(policy_ports_);
  ports_ = std::move(fresh);
  set_log_level(config_->log.level);
  renew_exemptions(now);
  tell_xdp(now);
  LedgerBatch batch;
  for (const Prefix& prefix : config_->policy.allow) judge_.decider().lift(prefix, now, batch.changes);
  if (!batch.changes.empty()) carry_out(std::move(batch), now);
  reconcile_surroundings(now);
}

// What XDP must know to tell what is for this host, and what somebody waits for.
void Gate::tell_xdp(WallTime now) {
  if (!enforcer_->uses_xdp()) return;
  const TripwireSettings& tripwire = config_->policy.detect.tripwire;
  XdpWatch watch;
  watch.tripwire = tripwire.enabled;
  watch.after = tripwire.after;
  watch.within = tripwire.within;
  watch.ban = config_->policy.ban.first;
  watch.bans_per_second = tripwire.bans_per_second;
  watch.bans_per_network = tripwire.bans_per_network;
  watch.decoys = tripwire.decoys;
  watch.heard_tcp = facts_.listening.services.tcp;
  watch.heard_udp = facts_.listening.services.udp;
  for (const EphemeralSocket& socket : facts_.listening.ephemeral_udp) watch.heard_udp.add(socket.port);
  if (!facts_.own_addresses.empty()) watch.own = facts_.own_addresses;
  if (told_watch_ == watch) return;
  if (const auto done = enforcer_->watch(watch); !done) return kernel_failed(done.error(), now);
  told_watch_ = std::move(watch);
}

void Gate::renew_exemptions(WallTime now) {
  Exemptions& exemptions = judge_.exemptions();
  exemptions.clear();
  for (const Allowed& allowed : everything_allowed())
    if (allowed.until > now) exemptions.allow(allowed.prefix, allowed.until);
}

std::string Gate::why_exempt(const Address& address, WallTime now) const {
  for (const Exempt& exempt : facts_.exempt)
    if (exempt.prefix.contains(address)) return exempt.why;
  for (const AllowSettings& allowed : config_->allow)
    if (allowed.prefix.contains(address))
      return "allowed by the configuration" + (allowed.note.empty() ? "" : ": " + allowed.note);
  for (const AllowEntry& entry : allowed_)
    if (entry.until > now && entry.prefix.contains(address))
      return "allowed by a command" + (entry.note.empty() ? "" : ": " + entry.note);
  return {};
}

}  // namespace palang
