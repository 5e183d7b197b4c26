#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace palang {

// Our chains of iptables and ip6tables, in the table mangle: behind connection tracking, which knows replies, and
// before address translation and the table filter. They hold every rule of ours; outside them stands one jump to each.
// Nobody else's rules are touched: what is written is these chains and jumps, as one transaction of iptables-restore.
//
// A host has iptables by nf_tables, by the older interface ("legacy"), or both; see choose().
class Iptables {
 public:
  // Finds the programs, and which of the two kinds this host uses: the one that `iptables` is, unless only the other
  // has rules. Error: there is no iptables.
  [[nodiscard]] static Result<Iptables> choose();

  [[nodiscard]] bool is_legacy() const { return legacy_; }

  // Whether there is a tool for the family.
  [[nodiscard]] bool guards(bool v4) const;

  enum class State : uint8_t { as_written, changed };
  // Compares what there is with what should be.
  [[nodiscard]] Result<State> look();
  // Writes chains and jumps where they are not as they should be; the sets they name must exist.
  [[nodiscard]] Result<State> ensure();
  // Takes them out, of the other kind too.
  [[nodiscard]] Result<void> remove();
  // Of the kind that this host doesn't use: what an earlier choice may have left.
  [[nodiscard]] Result<void> remove_from_the_other();

 private:
  // iptables or ip6tables of one kind, by their paths.
  struct Tool {
    bool v4 = true;
    bool legacy = false;
    std::string save;
    std::string restore;
  };
  // What a tool says of the table mangle.
  struct Present {
    std::vector<std::string> chains;  // ours
    std::vector<std::string> rules;   // of our chains, in order
    std::vector<std::string> jumps;   // to our chains
  };

  [[nodiscard]] static std::vector<Tool> tools_of(std::string_view kind);
  [[nodiscard]] static bool has_rules(const std::vector<Tool>& tools);
  // Makes no table where there is none.
  [[nodiscard]] static Result<Present> read(const Tool& tool);
  [[nodiscard]] static bool is_whole(const Tool& tool, const Present& present);
  [[nodiscard]] static Result<void> restore(const Tool& tool, const std::string& text);
  [[nodiscard]] static Result<void> remove_from(const std::vector<Tool>& tools);

  bool legacy_ = false;
  std::vector<Tool> tools_;
  std::vector<Tool> others_;  // of the other kind
};

}  // namespace palang
