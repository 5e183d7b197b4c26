#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palang {

// All faults of one configuration file.
class Complaints {
 public:
  // "<file>:<line>: <key>: <sentence>"; what comes out of the file is escaped here.
  void add(uint32_t line, std::string_view key, std::string_view sentence);
  [[nodiscard]] bool empty() const { return complaints_.empty(); }
  [[nodiscard]] size_t size() const { return complaints_.size(); }
  // One a line, in the order of the file; a file with very many is cut short.
  [[nodiscard]] std::string text(std::string_view file_name) const;

 private:
  struct Complaint {
    uint32_t line;
    std::string sentence;
  };
  std::vector<Complaint> complaints_;  // in the order of the file
};

}  // namespace palang
