#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "enforce/netlink_socket.hpp"
#include "enforce/nft_elements.hpp"
#include "enforce/nft_parse.hpp"
#include "enforce/set_name.hpp"

namespace palang {

// What the kernel has of our table, without elements. What belongs to the standing firewall is left out.
struct TableState {
  bool exists = false;
  bool ours = true;                 // false: a set or chain of one of our names is of another make
  std::vector<SetName> sets;        // in force
  std::vector<SetName> unfinished;  // successors that nobody put in force
  std::vector<std::string> foreign_sets;
  std::vector<std::string> foreign_chains;
  std::vector<std::string> all_sets;  // of any make
  std::vector<std::string> all_chains;

  // The set in force whatever its generation; null if there is none.
  [[nodiscard]] const SetName* find(const SetName& set) const;
};

[[nodiscard]] Element held_element(const ParsedElement& element, WallTime now);

// Reads our table. Keeps one socket open: closing one makes the kernel wait for what it has yet to free, some 10 ms.
class NftReader {
 public:
  [[nodiscard]] Result<TableState> table();

  // The unexpired elements of one set, sorted by key. None at all when there are over `most`: the kernel finds its way
  // through a set anew for every 32 KiB that it tells, so the time grows with the square of the size (100,000: 0.3 s;
  // 1,000,000: 50 s). It may miss a few when others expire meanwhile; look_up() knows for certain.
  [[nodiscard]] Result<std::optional<std::vector<Element>>> elements(const SetName& set, size_t most,
                                                                     const CallClock& clock);

  // Looks up single elements, in about 2 µs each however large the set; `found` gets the index of each that is there.
  [[nodiscard]] Result<void> look_up(const SetName& set, std::span<const Element> elements,
                                     const std::function<void(size_t, const ParsedElement&)>& found);

 private:
  enum class Go : uint8_t { on, stop };
  using Visit = std::function<Go(MessageView)>;

  [[nodiscard]] Result<NetlinkSocket*> socket();
  [[nodiscard]] Result<MessageWriter> ask(uint16_t message, uint16_t flags);
  [[nodiscard]] Result<void> answers_to(const MessageWriter& question, std::string_view what, const Visit& visit);
  // Repeats some elements and misses as many while the kernel grows its hash table.
  [[nodiscard]] Result<std::vector<Element>> list(const SetName& set, size_t most, const CallClock& clock);
  [[nodiscard]] Result<bool> table_exists();
  [[nodiscard]] Result<void> read_sets(TableState& state);
  [[nodiscard]] Result<void> read_chains(TableState& state);
  [[nodiscard]] Result<void> look_up_portion(const SetName& set, std::span<const Element> elements,
                                             const std::function<void(size_t, const ParsedElement&)>& found);

  std::optional<NetlinkSocket> socket_;  // none: not yet, or given up in the middle of an answer
};

}  // namespace palang
