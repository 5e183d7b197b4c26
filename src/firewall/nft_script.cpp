#include "firewall/nft_script.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace palang {
namespace {

constexpr size_t elements_per_line = 8;
constexpr size_t most_comment = 120;  // the kernel takes 128

}  // namespace

std::string NftScript::name(std::string_view part) const {
  return fmt::format("fw_{}_{}", part, generation_);
}

NftScript::Chain* NftScript::find(std::string_view part) {
  const auto found = std::ranges::find(chains_, part, &Chain::part);
  return found == chains_.end() ? nullptr : &*found;
}

void NftScript::add_set(std::string_view part, std::string_view spec) {
  sets_.emplace_back(part, spec);
}

void NftScript::add_elements(std::string_view part, std::vector<std::string> elements) {
  if (!elements.empty()) elements_.emplace_back(part, std::move(elements));
}

void NftScript::add_chain(std::string_view part) {
  if (find(part) == nullptr) chains_.push_back({std::string(part), {}});
}

void NftScript::add_rule(std::string_view part, std::string_view rule) {
  add_chain(part);
  find(part)->rules.emplace_back(rule);
}

bool NftScript::has_chain(std::string_view part) const {
  return std::ranges::find(chains_, part, &Chain::part) != chains_.end();
}

std::string NftScript::text() const {
  std::string text = fmt::format("table inet {} {{\n", firewall_table);
  for (const auto& [part, spec] : sets_)
    text += fmt::format("  set {} {{ {}{} }}\n", name(part), spec, spec.ends_with(';') ? "" : ";");
  for (const Chain& chain : chains_) {
    text += fmt::format("  chain {} {{\n", name(chain.part));
    for (const std::string& rule : chain.rules) text += fmt::format("    {}\n", rule);
    text += "  }\n";
  }
  text += "}\n";
  for (const auto& [part, elements] : elements_) {
    text += fmt::format("add element inet {} {} {{\n", firewall_table, name(part));
    for (size_t i = 0; i < elements.size(); ++i) {
      if (i % elements_per_line == 0) text += i == 0 ? "  " : "\n  ";
      text += elements[i];
      if (i + 1 < elements.size()) text += ", ";
    }
    text += "\n}\n";
  }
  return text;
}

std::string nft_comment(std::string_view note) {
  std::string kept;
  for (const char c : note.substr(0, most_comment))
    if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') kept += c;
  return kept.empty() ? "" : fmt::format("comment \"{}\"", kept);
}

}  // namespace palang
