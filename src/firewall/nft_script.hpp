#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palang {

// The sets and chains of one policy, written as nft reads them. Every name carries the policy's generation, so that two
// policies can stand side by side in the table: "fw_in_3".
class NftScript {
 public:
  explicit NftScript(uint32_t generation) : generation_(generation) {}

  [[nodiscard]] std::string name(std::string_view part) const;
  [[nodiscard]] uint32_t generation() const { return generation_; }

  // `spec`: what stands between the braces.
  void add_set(std::string_view part, std::string_view spec);
  void add_elements(std::string_view part, std::vector<std::string> elements);
  // Appends to a chain, which exists from its first mention on.
  void add_chain(std::string_view part);
  void add_rule(std::string_view part, std::string_view rule);
  [[nodiscard]] bool has_chain(std::string_view part) const;

  // The table with all of it, then the elements.
  [[nodiscard]] std::string text() const;

 private:
  struct Chain {
    std::string part;
    std::vector<std::string> rules;
  };
  [[nodiscard]] Chain* find(std::string_view part);

  uint32_t generation_;
  std::vector<std::pair<std::string, std::string>> sets_;
  std::vector<std::pair<std::string, std::vector<std::string>>> elements_;
  std::vector<Chain> chains_;
};

inline constexpr std::string_view firewall_table = "palang";

// A note as nft takes it for a comment, quotes and all; "" for an empty one. Whatever could end the quotes is left out.
[[nodiscard]] std::string nft_comment(std::string_view note);

}  // namespace palang
