#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang {

// The texts with which whatever a pattern matches must begin: "^(?:Failed|Accepted) x?y" has "Failed xy", "Failed y", …
// Empty where that can't be told: the pattern is not anchored, or begins with anything.
[[nodiscard]] std::vector<std::string> literal_prefixes(std::string_view pattern);

// Which of many texts a line begins with. A radix tree: looking takes as many steps as the line has branches, however
// many texts there are.
class PrefixTree {
 public:
  struct Entry {
    std::string prefix;
    uint32_t id = 0;
  };

  PrefixTree() = default;
  explicit PrefixTree(std::vector<Entry> entries);

  // Appends the ids of all entries that `text` begins with.
  void find(std::string_view text, std::vector<uint32_t>& ids) const;
  // The most ids that find() ever appends.
  [[nodiscard]] size_t most_found() const { return most_found_; }

 private:
  struct Node {
    uint32_t label = 0;  // in labels_: what must follow on the way to this node
    uint32_t label_length = 0;
    uint32_t ids = 0;  // in ids_
    uint32_t id_count = 0;
    uint32_t edges = 0;  // in edge_letters_ and edge_nodes_; letters ascending
    uint32_t edge_count = 0;
  };

  uint32_t build(const std::vector<Entry>& entries, size_t first, size_t last, size_t depth, size_t found);

  std::string labels_;
  std::vector<uint32_t> ids_;
  std::string edge_letters_;
  std::vector<uint32_t> edge_nodes_;
  std::vector<Node> nodes_;
  uint32_t root_ = 0;
  size_t most_found_ = 0;
};

}  // namespace palang
