#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "model/log_line.hpp"
#include "parse/log_time.hpp"

namespace palang {

// Reads ModSecurity's audit log in JSON, one transaction a line: the dialect of version 2 (yajl; "transaction",
// "request", "audit_data") and that of version 3 ("transaction" holds all). Reads as a stream, keeps only what a WafHit
// has, and that bounded; a line that was cut off still tells what stands before the cut.
class ModsecReader {
 public:
  ModsecReader();
  ~ModsecReader();
  ModsecReader(ModsecReader&&) noexcept;
  ModsecReader& operator=(ModsecReader&&) noexcept;

  // Nothing if no client is named. Views in the hit are valid until the next read().
  [[nodiscard]] std::optional<WafHit> read(std::string_view line, LogTimeReader& times, WallTime newest);

 private:
  struct Transaction;
  std::unique_ptr<Transaction> transaction_;
};

}  // namespace palang
