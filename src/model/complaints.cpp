#include "model/complaints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace palang {
namespace {

// A file that is no configuration at all must not answer with a book.
constexpr size_t most_shown = 50;

}  // namespace

void Complaints::add(uint32_t line, std::string_view key, std::string_view sentence) {
  const auto place = std::ranges::upper_bound(complaints_, line, {}, &Complaint::line);
  complaints_.insert(place,
                     {line, escape_controls(fmt::format("{}: {}", key.substr(0, 200), sentence.substr(0, 400)))});
}

std::string Complaints::text(std::string_view file_name) const {
  std::string text;
  for (size_t i = 0; i < complaints_.size() && i < most_shown; ++i)
    text += fmt::format("{}{}:{}: {}", i > 0 ? "\n" : "", file_name, complaints_[i].line, complaints_[i].sentence);
  if (complaints_.size() > most_shown)
    text += fmt::format("\n{}: {} more errors", file_name, complaints_.size() - most_shown);
  return text;
}

}  // namespace palang
