#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "net/prefix.hpp"

namespace palang {

// What a policy is compiled with besides its settings: everything it names, looked up.
struct Surroundings {
  WallTime now;
  std::map<std::string, std::vector<Prefix>> lists;   // by name
  std::map<std::string, std::vector<Address>> hosts;  // by name; those that didn't resolve are missing
  std::map<std::string, uint32_t> users;              // those that don't exist are missing
  std::map<std::string, uint32_t> groups;
  std::map<std::string, std::string> raw;  // content of raw files, by path
};

}  // namespace palang
