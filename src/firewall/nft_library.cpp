#include "firewall/nft_library.hpp"

#include <fmt/format.h>
#include <nftables/libnftables.h>

#include "base/text.hpp"
#include "firewall/nft_script.hpp"

namespace palang {
namespace {

// "/dev/stdin:3:9-12: Error: syntax error, unexpected string" and the lines that point at it → one sentence.
std::string first_complaint(std::string_view text) {
  std::string_view first = text.substr(0, text.find('\n'));
  const size_t error = first.find("Error: ");
  std::string place;
  if (error != std::string_view::npos && error > 0) {
    const std::string_view where = first.substr(0, error);  // "internal:0:0-0: ", "<buffer>:3:9-12: "
    const size_t begin = where.find(':');
    const size_t end = begin == std::string_view::npos ? begin : where.find(':', begin + 1);
    if (end != std::string_view::npos) place = fmt::format("line {}: ", where.substr(begin + 1, end - begin - 1));
  }
  if (error != std::string_view::npos) first.remove_prefix(error + 7);
  std::string_view quoted = text.substr(std::min(text.find('\n'), text.size()));
  quoted = trim(quoted.substr(0, quoted.find('\n', 1)));
  std::string sentence = place + std::string(first);
  if (!quoted.empty()) sentence += fmt::format(" (in: {})", quoted.substr(0, 160));
  return escape_controls(sentence);
}

}  // namespace

NftLibrary::NftLibrary() = default;

void NftLibrary::Close::operator()(nft_ctx* context) const {
  nft_ctx_free(context);
}

// A context remembers the ruleset it saw: a fresh one each time sees what others have changed.
Result<std::string> NftLibrary::execute(const std::string& script, bool dry, unsigned output_flags) {
  const std::unique_ptr<nft_ctx, Close> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return fail("open libnftables: it refused");
  nft_ctx_set_dry_run(context.get(), dry);
  nft_ctx_output_set_flags(context.get(), output_flags);
  if (nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0)
    return fail("open libnftables: no memory");
  if (nft_run_cmd_from_buffer(context.get(), script.c_str()) != 0)
    return fail(fmt::format("nftables: {}", first_complaint(nft_ctx_get_error_buffer(context.get()))));
  return std::string(nft_ctx_get_output_buffer(context.get()));
}

Result<void> NftLibrary::run(const std::string& script) {
  const auto done = execute(script, false, 0);
  if (!done) return Failure(done.error());
  return {};
}

Result<void> NftLibrary::check(const std::string& script) {
  const auto done = execute(script, true, 0);
  if (!done) return Failure(done.error());
  return {};
}

// Of all tables, since nft reads the elements of the sets of a single one, however many: a million bans.
Result<std::string> NftLibrary::list_firewall() {
  const auto listing =
      execute("list ruleset inet", false, NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL);
  if (!listing) return Failure(listing.error());
  return firewall_part_of(*listing);
}

Result<void> NftLibrary::remove_table_if_empty() {
  const auto listing = execute("list ruleset inet", false, NFT_CTX_OUTPUT_TERSE | NFT_CTX_OUTPUT_STATELESS);
  if (!listing) return Failure(listing.error());
  if (listing->find(fmt::format("table inet {} {{\n}}", firewall_table)) == std::string::npos) return {};
  return run(fmt::format("delete table inet {}", firewall_table));
}

std::string firewall_part_of(std::string_view listing) {
  std::string part;
  bool in_table = false;
  bool in_object = false;
  const std::string table = fmt::format("table inet {} {{", firewall_table);
  while (!listing.empty()) {
    const std::string_view line = listing.substr(0, listing.find('\n'));
    listing.remove_prefix(std::min(line.size() + 1, listing.size()));
    const bool top = !line.empty() && line[0] != '\t' && line[0] != ' ';
    if (top) {
      in_table = line == table;
      in_object = false;
      continue;
    }
    if (!in_table) continue;
    const std::string_view text = trim(line);
    if (text.starts_with("chain ") || text.starts_with("set ") || text.starts_with("map "))
      in_object = text.substr(text.find(' ') + 1).starts_with("fw_");
    if (!in_object || text.empty()) continue;
    part += std::string(line.substr(1)) + "\n";
    if (text == "}") in_object = false;
  }
  return part;
}

}  // namespace palang
