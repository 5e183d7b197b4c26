#include "enforce/nft_elements.hpp"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>

namespace palang {
namespace {

// The list is one attribute, whose length has 16 bits.
constexpr size_t most_list_bytes = 65000;
constexpr std::chrono::milliseconds passing_timeout{60'000};

// NLA_ALIGN without its detour through int.
constexpr size_t aligned(size_t bytes) {
  return (bytes + NLA_ALIGNTO - 1) / NLA_ALIGNTO * NLA_ALIGNTO;
}

// One NFTA_LIST_ELEM in wire form, composed in place: this is the inner loop of loading a million bans.
class WireElement {
 public:
  WireElement(const Element& element, uint8_t key_size, std::optional<std::chrono::milliseconds> timeout) {
    header(0, NFTA_LIST_ELEM | NLA_F_NESTED);
    const auto data_bytes = static_cast<uint16_t>(sizeof(nlattr) + key_size);
    header(static_cast<uint16_t>(sizeof(nlattr) + aligned(data_bytes)), NFTA_SET_ELEM_KEY | NLA_F_NESTED);
    header(data_bytes, NFTA_DATA_VALUE);
    std::memcpy(&bytes_[size_], element.key.data(), key_size);
    size_ += aligned(key_size);
    if (timeout) {
      header(sizeof(nlattr) + sizeof(uint64_t), NFTA_SET_ELEM_TIMEOUT);
      const uint64_t wire = htobe64(static_cast<uint64_t>(timeout->count()));
      std::memcpy(&bytes_[size_], &wire, sizeof wire);
      size_ += sizeof wire;
    }
    const auto length = static_cast<uint16_t>(size_);
    std::memcpy(bytes_.data(), &length, sizeof length);
  }
  [[nodiscard]] const uint8_t* data() const { return bytes_.data(); }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  void header(uint16_t length, uint16_t type) {
    const nlattr attribute{length, type};
    std::memcpy(&bytes_[size_], &attribute, sizeof attribute);
    size_ += sizeof attribute;
  }
  std::array<uint8_t, 48> bytes_{};
  size_t size_ = 0;
};

template <typename TimeoutOf>
void put_list(NftBatch& batch, uint16_t message, const SetName& set, std::span<const Element> elements,
              TimeoutOf timeout_of) {
  const std::string name = set.text();
  const uint8_t key_size = set.key_size();
  for (size_t at = 0; at < elements.size();) {
    MessageWriter& writer = batch.begin(message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
    writer.put_text(NFTA_SET_ELEM_LIST_TABLE, table_name);
    writer.put_text(NFTA_SET_ELEM_LIST_SET, name);
    const auto list = writer.open(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (; at < elements.size() && writer.size_of(list) < most_list_bytes; ++at) {
      const WireElement wire(elements[at], key_size, timeout_of(elements[at]));
      writer.append(wire.data(), wire.size());
    }
    writer.close(list);
    writer.end();
  }
}

}  // namespace

std::optional<std::chrono::milliseconds> kernel_timeout(WallTime until, WallTime now) {
  if (until == WallTime::max()) return std::nullopt;
  if (until <= now) return std::chrono::milliseconds{1};
  const Duration remaining = until - now;
  return std::chrono::ceil<std::chrono::milliseconds>(std::min(remaining, longest_timeout));
}

void put_new_elements(NftBatch& batch, const SetName& set, std::span<const Element> elements, WallTime now) {
  put_list(batch, NFT_MSG_NEWSETELEM, set, elements,
           [now](const Element& element) { return kernel_timeout(element.until, now); });
}

// Adding an element that exists succeeds and, before 6.12, changes nothing; deleting one that doesn't exist fails the
// whole transaction, and any may expire at any moment. So: make sure it exists, delete it, and add it anew.
void put_elements(NftBatch& batch, const SetName& set, std::span<const Element> elements, WallTime now) {
  put_element_removals(batch, set, elements);
  put_new_elements(batch, set, elements, now);
}

void put_element_removals(NftBatch& batch, const SetName& set, std::span<const Element> elements) {
  put_list(batch, NFT_MSG_NEWSETELEM, set, elements, [](const Element&) { return std::optional(passing_timeout); });
  put_list(batch, NFT_MSG_DELSETELEM, set, elements,
           [](const Element&) { return std::optional<std::chrono::milliseconds>{}; });
}

}  // namespace palang
