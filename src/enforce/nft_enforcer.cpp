#include "enforce/nft_enforcer.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "enforce/nft_batch.hpp"
#include "enforce/nft_compare.hpp"
#include "enforce/nft_plan.hpp"
#include "enforce/nft_table.hpp"

namespace palang {
namespace {

// A transaction of this size takes the kernel some 40 ms, during which no other can happen.
constexpr size_t most_elements_at_once = 16'384;
// An element that is put again is named three times, in up to 40 bytes each time.
constexpr size_t most_bytes_per_element = 128;
constexpr int most_tries = 3;

// Errors that someone else's change of our table causes; the table must be read again.
bool table_was_changed(const Error& error) {
  return error.os == ENOENT || error.os == EEXIST || error.os == EBUSY || error.os == EINVAL;
}

// Feeds the elements of a plan into transactions, a portion at a time. Additions come first, so that a prefix that
// changes its scope is never out of both.
class ElementFeed {
 public:
  ElementFeed(const NetlinkSocket& socket, std::span<const SetPlan> sets) : portion_(portion_for(socket)) {
    for (const SetPlan& set : sets)
      if (!set.replaces) work_.push_back({&set.set, put_new, set.fresh});
    for (const SetPlan& set : sets) work_.push_back({&set.set, put_again, set.written});
    for (const SetPlan& set : sets)
      if (!set.drop) work_.push_back({&set.set, put_removals, set.removed});
  }
  // The elements of a set that is filled before it is in force.
  ElementFeed(const NetlinkSocket& socket, const SetPlan& set)
      : portion_(portion_for(socket)), work_{{&set.set, put_new, set.fresh}} {}

  // Whether anything is left.
  [[nodiscard]] bool feed(NftBatch& batch, WallTime now) {
    size_t room = portion_;
    for (; at_ < work_.size(); ++at_) {
      Work& work = work_[at_];
      const size_t portion = std::min(room, work.elements.size());
      work.put(batch, *work.set, work.elements.first(portion), now);
      work.elements = work.elements.subspan(portion);
      room -= portion;
      if (!work.elements.empty()) return true;
    }
    return false;
  }

 private:
  using Put = void (*)(NftBatch&, const SetName&, std::span<const Element>, WallTime);
  static constexpr Put put_new = put_new_elements;
  static constexpr Put put_again = put_elements;
  static void put_removals(NftBatch& batch, const SetName& set, std::span<const Element> elements, WallTime) {
    put_element_removals(batch, set, elements);
  }

  struct Work {
    const SetName* set;
    Put put;
    std::span<const Element> elements;
  };
  static size_t portion_for(const NetlinkSocket& socket) {
    return std::clamp(socket.send_limit() / most_bytes_per_element, size_t{1}, most_elements_at_once);
  }

  size_t portion_;
  std::vector<Work> work_;
  size_t at_ = 0;
};

Result<void> feed_the_rest(NetlinkSocket& socket, ElementFeed& feed, bool more, const CallClock& clock) {
  while (more) {
    NftBatch batch(socket);
    more = feed.feed(batch, clock.now());
    if (auto done = batch.commit(); !done) return done;
  }
  return {};
}

Result<void> fill_successor(NetlinkSocket& socket, const SetPlan& set, const CallClock& clock) {
  ElementFeed feed(socket, set);
  NftBatch batch(socket);
  put_set(batch, set.set);
  const bool more = feed.feed(batch, clock.now());
  if (auto done = batch.commit(); !done) return done;
  return feed_the_rest(socket, feed, more, clock);
}

// A set can go only once no rule names it any more.
void put_removals_of(NftBatch& batch, std::span<const std::string> chains, std::span<const std::string> sets) {
  for (const std::string& chain : chains) put_rules_removal(batch, chain);
  for (const std::string& chain : chains) put_chain_removal(batch, chain);
  for (const std::string& set : sets) put_set_removal(batch, set);
}

void put_structure(NftBatch& batch, const NftPlan& plan) {
  put_table(batch);
  put_removals_of(batch, plan.clear_chains, plan.clear_sets);
  for (const ChainPlace& chain : gate_chains()) put_chain(batch, chain);
  for (const SetPlan& set : plan.sets)
    if (set.create) put_set(batch, set.set);
  put_rules(batch, plan.in_force);
  put_removals_of(batch, plan.drop_chains, plan.drop_sets);
  for (const SetPlan& set : plan.sets)
    if (set.drop) put_set_removal(batch, set.set.text());
}

Ban ban_of(const SetName& set, const Element& element) {
  return {element.prefix(set), set.role == Role::full ? Scope::full : Scope::quiet, element.until};
}

}  // namespace

Result<std::unique_ptr<NftEnforcer>> NftEnforcer::open() {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return Failure(socket.error());
  std::unique_ptr<NftEnforcer> enforcer(new NftEnforcer(std::move(*socket)));
  if (auto table = enforcer->known_table(); !table) {
    Failure failure(table.error());
    if (failure.error().os == EPERM) failure.error().text += ": that takes root, or CAP_NET_ADMIN";
    return failure;
  }
  return enforcer;
}

Result<const TableState*> NftEnforcer::known_table() {
  if (!table_) {
    auto table = reader_.table();
    if (!table) return Failure(table.error());
    table_ = std::move(*table);
  }
  return &*table_;
}

Result<void> NftEnforcer::execute(const NftPlan& plan, WallTime now) {
  const CallClock clock(now);
  table_.reset();  // until it is known how this went
  for (const SetPlan& set : plan.sets)
    if (set.replaces)
      if (auto done = fill_successor(socket_, set, clock); !done) return done;

  NftBatch batch(socket_);
  if (plan.write_rules) put_structure(batch, plan);
  ElementFeed feed(socket_, plan.sets);
  const bool more = feed.feed(batch, clock.now());
  if (auto done = batch.commit(); !done) return done;
  if (auto done = feed_the_rest(socket_, feed, more, clock); !done) return done;
  TableState& table = table_.emplace();
  table.exists = true;
  table.sets = plan.in_force;
  return {};
}

Result<void> NftEnforcer::apply(std::span<const Change> changes, WallTime now) {
  for (int tries = 1;; ++tries) {
    const auto table = known_table();
    if (!table) return Failure(table.error());
    NftPlan plan = plan_changes(changes, **table, now);
    if (!(*table)->exists) {
      auto sets = standing_sets(allowed_, open_, now);
      for (SetPlan& set : plan.sets) sets.push_back({set.set, std::move(set.fresh)});
      plan = plan_from_nothing(std::move(sets));
    }
    auto done = execute(plan, now);
    if (done || tries == most_tries || !table_was_changed(done.error())) return done;
  }
}

Result<ReconcileReport> NftEnforcer::reconcile(const Intended& intended, Extra extra, WallTime now) {
  allowed_ = intended.allowed;
  open_ = intended.open;
  for (int tries = 1;; ++tries) {
    table_.reset();
    const auto table = known_table();
    if (!table) return Failure(table.error());
    ReconcileReport report;
    const auto plan = plan_reconcile(reader_, {intended, extra, now, tries == most_tries}, **table, report);
    const auto done = plan ? execute(*plan, now) : Failure(plan.error());
    if (done) return report;
    if (tries == most_tries || !table_was_changed(done.error())) return Failure(done.error());
  }
}

Result<std::vector<Ban>> NftEnforcer::held(WallTime now) {
  const CallClock clock(now);
  table_.reset();
  const auto table = known_table();
  if (!table) return Failure(table.error());
  std::vector<Ban> bans;
  for (const SetName& set : (*table)->sets) {
    if (!set.holds_bans()) continue;
    const auto elements = reader_.elements(set, SIZE_MAX, clock);
    if (!elements) return Failure(elements.error());
    for (const Element& element : **elements) bans.push_back(ban_of(set, element));
  }
  return bans;
}

Result<std::vector<Hits>> NftEnforcer::hits(std::span<const Ban> bans) {
  const auto table = known_table();
  if (!table) return Failure(table.error());
  std::vector<Hits> hits;
  for (const SetName& set : (*table)->sets) {
    if (!set.holds_bans()) continue;
    std::vector<Element> asked;
    for (const Ban& ban : bans)
      if (SetName::of(role_of(ban.scope), ban.prefix).same_set(set)) asked.push_back(Element::of(ban.prefix, {}));
    auto done = reader_.look_up(set, asked, [&](size_t index, const ParsedElement& element) {
      hits.push_back({asked[index].prefix(set), element.packets.value_or(0)});
    });
    if (!done) return Failure(done.error());
  }
  return hits;
}

// The table itself stays where the standing firewall is in it.
Result<void> NftEnforcer::lift_everything(UnblocksEveryone) {
  table_.reset();
  const auto table = known_table();
  if (!table) return Failure(table.error());
  if (!(*table)->exists) return {};
  NftBatch ours(socket_);
  put_removals_of(ours, (*table)->all_chains, (*table)->all_sets);
  auto done = ours.commit();
  table_.reset();
  if (!done) return done;
  NftBatch rest(socket_);
  put_table_removal(rest);
  done = rest.commit();
  if (!done && (done.error().os == EBUSY || done.error().os == ENOENT)) return {};
  return done;
}

}  // namespace palang
