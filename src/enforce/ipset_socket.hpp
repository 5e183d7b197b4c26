#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "enforce/ipset_set.hpp"
#include "enforce/message_writer.hpp"
#include "enforce/netlink_socket.hpp"
#include "enforce/nft_elements.hpp"

namespace palang {

// The subsystem ipset of netlink: sets by name, in the network namespace in which it was opened. Each change takes
// effect by itself; of a list that is refused somewhere, what stands before may have been done.
class IpsetSocket {
 public:
  [[nodiscard]] static Result<IpsetSocket> open();

  // With room for `entries` from the start. Does nothing where there is one like it; EEXIST where there is another.
  [[nodiscard]] Result<void> create(const IpsetSet& set, const std::string& name, size_t entries);
  // Nothing where there is none. EBUSY: a rule refers to it.
  [[nodiscard]] Result<void> destroy(const std::string& name);
  // The two change places for all rules that refer to them.
  [[nodiscard]] Result<void> swap(const std::string& name, const std::string& other);

  enum class Counters : uint8_t { as_they_are, from_zero };
  // Entries that are there get this end; ports and entries of sets without counters want as_they_are. ENOENT: no set.
  [[nodiscard]] Result<void> add(const IpsetSet& set, const std::string& name, std::span<const IpsetEntry> entries,
                                 Counters counters, const CallClock& clock);
  // Entries that are not there are none to remove.
  [[nodiscard]] Result<void> remove(const IpsetSet& set, const std::string& name, std::span<const IpsetEntry> entries);

  using Visit = std::function<void(const IpsetEntry&)>;
  // Lists the unexpired entries; false: no such set. Linear in the size of the set: a million take a second.
  [[nodiscard]] Result<bool> list(const IpsetSet& set, const CallClock& clock, const Visit& visit);

  struct Head {
    uint32_t entries = 0;     // unexpired
    uint32_t references = 0;  // rules that name it
  };
  // Of all sets whose names begin with "palang-". The kernel counts the entries one by one.
  [[nodiscard]] Result<std::map<std::string, Head>> heads();

 private:
  explicit IpsetSocket(NetlinkSocket socket) : socket_(std::move(socket)) {}

  MessageWriter& begin(uint16_t command, uint16_t flags, std::string_view name);
  [[nodiscard]] Result<void> send(std::string_view what);
  template <typename Put>
  [[nodiscard]] Result<void> put_list(uint16_t command, std::string_view what, const std::string& name,
                                      std::span<const IpsetEntry> entries, const Put& put);
  [[nodiscard]] Result<bool> dump(std::string_view what, const std::function<void(const nlmsghdr*)>& visit);

  NetlinkSocket socket_;
  MessageWriter writer_;
};

}  // namespace palang
