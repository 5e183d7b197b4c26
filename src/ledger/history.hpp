#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/database.hpp"
#include "ledger/storage.hpp"
#include "model/command.hpp"

namespace palang {

struct AddressHistory {
  std::vector<PastView> decisions;  // all that ever covered the address, newest first
  std::vector<Evidence> evidence;   // newest first: of the address, then of its neighbours in the widest decision
};

struct DecisionNote {
  uint64_t id = 0;
  std::string note;
};

// Reads the ledger beside its worker, on a connection of its own. It sees what is committed: what `why` must show at
// once comes from memory. Opens when first asked, and again when the file was replaced. While the worker
// can't write, reading may fail too.
class LedgerHistory {
 public:
  explicit LedgerHistory(std::string path) : path_(std::move(path)) {}

  // At most `limit` decisions and `limit` lines of evidence. Costs a few index lookups per prefix length.
  [[nodiscard]] Result<AddressHistory> history_of(const Address& address, size_t limit);

  // An admin's reason for a decision; empty: none was given, or there is no such decision.
  [[nodiscard]] Result<std::string> note_of(uint64_t id);
  // Notes of active decisions with ids above `after`, ascending: for pages of a list.
  [[nodiscard]] Result<std::vector<DecisionNote>> notes_after(uint64_t after, size_t limit);

 private:
  struct Connection {
    Database database;
    FileIdentity identity;
    bool keep;  // for further questions
    Statement decisions;
    Statement evidence;
    Statement neighbours;
    Statement note;
    Statement notes;
  };

  [[nodiscard]] DbResult<Connection> open() const;
  [[nodiscard]] DbResult<Connection*> connected();
  [[nodiscard]] DbResult<AddressHistory> read_history(const Address& address, size_t limit);
  [[nodiscard]] DbResult<std::string> read_note(uint64_t id);
  [[nodiscard]] DbResult<std::vector<DecisionNote>> read_notes(uint64_t after, size_t limit);
  // After a failure the next question opens anew, and so where nothing can be written.
  template <typename Value>
  [[nodiscard]] Result<Value> answer(DbResult<Value> read);

  std::string path_;
  std::optional<Connection> connection_;
};

}  // namespace palang
