#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"

struct nft_ctx;

namespace palang {

// libnftables in this process: what the nft program does, without the program. Works in the network namespace of the
// calling thread.
class NftLibrary {
 public:
  NftLibrary();

  // One transaction: all of it takes effect, or nothing. The error is nft's, of its first complaint, with the line.
  [[nodiscard]] Result<void> run(const std::string& script);
  // The same, but the kernel is not told.
  [[nodiscard]] Result<void> check(const std::string& script);
  // The rules of our table's standing firewall as nft prints them, without elements and counts. "": there is none.
  [[nodiscard]] Result<std::string> list_firewall();
  [[nodiscard]] Result<void> remove_table_if_empty();

 private:
  struct Close {
    void operator()(nft_ctx* context) const;
  };
  [[nodiscard]] Result<std::string> execute(const std::string& script, bool dry, unsigned output_flags);
};

// The chains and sets of the firewall (fw_…) in table inet palang of a listing of all tables.
[[nodiscard]] std::string firewall_part_of(std::string_view listing);

}  // namespace palang
