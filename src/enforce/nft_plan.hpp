#pragma once

#include <vector>

#include "enforce/nft_elements.hpp"
#include "enforce/nft_reader.hpp"
#include "enforce/set_name.hpp"
#include "model/enforcer.hpp"

namespace palang {

struct IntendedSet {
  SetName set;
  std::vector<Element> elements;
};

// What is to happen to one set.
struct SetPlan {
  SetName set;
  bool create = false;
  bool replaces = false;         // it is filled first, and then takes the place of its predecessor
  bool drop = false;             // with all that it holds
  std::vector<Element> fresh;    // not held
  std::vector<Element> written;  // held with another end, or perhaps
  std::vector<Element> removed;  // held, or perhaps
};

[[nodiscard]] SetPlan plan_creation(IntendedSet intended);

// What is to happen to our table.
struct NftPlan {
  // What stands where ours should and is of another make; it goes before anything is built.
  std::vector<std::string> clear_chains;
  std::vector<std::string> clear_sets;
  bool write_rules = false;       // with all that stands around the elements: table, chains, rules
  std::vector<SetPlan> sets;      // those that change
  std::vector<SetName> in_force;  // all, afterwards
  std::vector<std::string> drop_sets;
  std::vector<std::string> drop_chains;
};

// The last change of each prefix, sorted by prefix.
[[nodiscard]] std::vector<const Change*> last_changes(std::span<const Change> changes);

// Bans whose end is past are left out. Full ones come first: they guard open ports.
[[nodiscard]] std::vector<IntendedSet> sets_of_bans(std::span<const Ban> bans, WallTime now);
// Allowed prefixes and both sets of open ports, which exist even when empty.
[[nodiscard]] std::vector<IntendedSet> standing_sets(std::span<const Allowed> allowed, const PublicPorts& open,
                                                     WallTime now);

// Builds the table from nothing, whatever there is.
[[nodiscard]] NftPlan plan_from_nothing(std::vector<IntendedSet> sets);

// The last change of each prefix, on the table as it is.
[[nodiscard]] NftPlan plan_changes(std::span<const Change> changes, const TableState& present, WallTime now);

// The difference of one set; `held` is sorted by key. The lists of the plan are sorted too.
[[nodiscard]] SetPlan compare_set(const SetName& set, std::vector<Element> intended, std::span<const Element> held,
                                  Enforcer::Extra extra, WallTime now);

void count_changes(const NftPlan& plan, ReconcileReport& report);

}  // namespace palang
