#include "enforce/nft_compare.hpp"

#include <algorithm>
#include <iterator>

namespace palang {
namespace {

// From about here on it is cheaper to write a set anew than to have the kernel list it (see NftReader::elements).
constexpr size_t most_compared = 50'000;

// A table that is ours already.
class Comparison {
 public:
  Comparison(NftReader& reader, const ReconcileRequest& request, const TableState& present)
      : reader_(reader), request_(request), present_(present), clock_(request.now) {
    plan_.write_rules = true;
    plan_.drop_chains = present.foreign_chains;
    plan_.drop_sets = present.foreign_sets;
    for (const SetName& set : present.unfinished) plan_.drop_sets.push_back(set.text());
  }

  [[nodiscard]] Result<void> want(IntendedSet intended) {
    const SetName* const held = present_.find(intended.set);
    if (held == nullptr) return create(std::move(intended));
    // What is allowed and open is never more than intended; extra bans may stay.
    const auto extra = held->holds_bans() ? request_.extra : Enforcer::Extra::remove;
    const bool may_replace = held->holds_bans() && extra == Enforcer::Extra::remove;
    const size_t most = may_replace ? most_compared : SIZE_MAX;
    if (intended.elements.size() > most) return replace(*held, std::move(intended));
    auto elements = reader_.elements(*held, most, clock_);
    if (!elements) return Failure(elements.error());
    if (!*elements) return replace(*held, std::move(intended));
    SetPlan difference = compare_set(*held, std::move(intended.elements), **elements, extra, request_.now);
    if (auto done = make_certain(difference); !done) return done;
    plan_.in_force.push_back(*held);
    plan_.sets.push_back(std::move(difference));
    return {};
  }

  // The sets that nobody wanted are kept whole, or dropped whole.
  [[nodiscard]] Result<NftPlan> finish(ReconcileReport& report) {
    for (const SetName& set : present_.sets) {
      if (std::ranges::any_of(plan_.in_force, [&](const SetName& other) { return other.same_set(set); })) continue;
      const bool keep = request_.extra == Enforcer::Extra::keep || !request_.intended.bans;
      if (set.holds_bans() && keep) {
        plan_.in_force.push_back(set);
        continue;
      }
      auto elements = reader_.elements(set, most_compared, clock_);
      if (!elements) return Failure(elements.error());
      if (!*elements) report.removed += most_compared;  // at least
      plan_.sets.push_back(
          compare_set(set, {}, elements->value_or(std::vector<Element>{}), Enforcer::Extra::remove, request_.now));
      plan_.sets.back().drop = true;
    }
    count_changes(plan_, report);
    return std::move(plan_);
  }

 private:
  // A listing may have missed elements that are there: adding those would not refresh their ends.
  Result<void> make_certain(SetPlan& difference) {
    std::vector<Element> there;
    auto done = reader_.look_up(difference.set, difference.fresh, [&](size_t, const ParsedElement& element) {
      there.push_back(held_element(element, clock_.now()));
    });
    if (!done || there.empty()) return done;
    std::ranges::sort(there, {}, &Element::key);
    SetPlan certain =
        compare_set(difference.set, std::move(difference.fresh), there, Enforcer::Extra::remove, request_.now);
    difference.fresh = std::move(certain.fresh);
    std::ranges::copy(certain.written, std::back_inserter(difference.written));
    return {};
  }

  Result<void> create(IntendedSet intended) {
    plan_.in_force.push_back(intended.set);
    std::ranges::sort(intended.elements, {}, &Element::key);
    plan_.sets.push_back(plan_creation(std::move(intended)));
    return {};
  }

  Result<void> replace(const SetName& held, IntendedSet intended) {
    SetName successor = held;
    for (const SetName& other : present_.unfinished)
      if (other.same_set(held)) successor.generation = std::max(successor.generation, other.generation);
    ++successor.generation;
    plan_.drop_sets.push_back(held.text());
    plan_.in_force.push_back(successor);
    SetPlan& plan = plan_.sets.emplace_back();
    plan.set = successor;
    plan.replaces = true;
    plan.fresh = std::move(intended.elements);
    return {};
  }

  NftReader& reader_;
  const ReconcileRequest& request_;
  const TableState& present_;
  CallClock clock_;
  NftPlan plan_;
};

std::vector<IntendedSet> all_sets(const ReconcileRequest& request) {
  const Intended& intended = request.intended;
  auto sets = standing_sets(intended.allowed, intended.open, request.now);
  if (!intended.bans) return sets;
  for (IntendedSet& set : sets_of_bans(*intended.bans, request.now)) sets.push_back(std::move(set));
  return sets;
}

}  // namespace

Result<NftPlan> plan_reconcile(NftReader& reader, const ReconcileRequest& request, const TableState& present,
                               ReconcileReport& report) {
  auto sets = all_sets(request);
  if (!present.exists || !present.ours || request.from_nothing) {
    report.rebuilt = true;
    NftPlan plan = plan_from_nothing(std::move(sets));
    plan.clear_chains = present.all_chains;
    plan.clear_sets = present.all_sets;
    count_changes(plan, report);
    return plan;
  }
  Comparison comparison(reader, request, present);
  for (IntendedSet& set : sets)
    if (auto done = comparison.want(std::move(set)); !done) return Failure(done.error());
  return comparison.finish(report);
}

}  // namespace palang
