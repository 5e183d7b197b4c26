#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger/statement.hpp"
#include "model/store.hpp"

namespace palang {

// How rows of the ledger become values and back. A name that this palang doesn't know (another version wrote it)
// reads as the mildest value; a row whose prefix or address makes no sense is none.

// The columns that decision_of() reads, in its order.
inline constexpr const char* decision_columns =
    "id, prefix, since, until, proven_at, count, port, protocol, rule, scope, origin, proof, repeat";
inline constexpr int decision_column_count = 13;

[[nodiscard]] std::optional<Decision> decision_of(const Statement& row);

// address, at, rule, line
[[nodiscard]] std::optional<Evidence> evidence_of(const Statement& row);

// rule, address, times, ports
[[nodiscard]] std::optional<Pending> pending_of(const Statement& row);

[[nodiscard]] std::string join(const std::vector<WallTime>& times);
[[nodiscard]] std::string join(const std::vector<uint64_t>& values);

// The numbers under which evidence of a prefix is filed (evidence.network): IPv4 the address, IPv6 its first 64 bits
// less 2^63, so that the order of SQLite's signed numbers is that of addresses.
struct NetworkRange {
  int64_t first = 0;
  int64_t last = 0;
};
[[nodiscard]] NetworkRange network_range(const Prefix& prefix);

}  // namespace palang
