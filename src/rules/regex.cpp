#include "rules/regex.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.hpp"

namespace palang {

namespace {

// A line that makes a pattern backtrack this often isn't worth more. What one step back costs grows with the line, so
// a long one may take fewer: lines of 8 KiB, made to hurt the patterns of fail2ban, then stay below 2 ms.
constexpr size_t match_limit = 10'000;
constexpr size_t least_match_limit = 200;
constexpr size_t bytes_to_look_at = 2'500'000;

uint32_t limit_for(size_t length) {
  return static_cast<uint32_t>(std::clamp(bytes_to_look_at / (length + 1), least_match_limit, match_limit));
}

// Steps of a pattern that is linear look at few bytes each.
uint32_t limit_of_linear(size_t length) {
  constexpr size_t steps_each_byte = 8;
  return static_cast<uint32_t>(match_limit + steps_each_byte * length);
}

constexpr uint32_t depth_limit = 1'000;
constexpr uint32_t heap_limit = 1'024;  // KiB
constexpr size_t jit_stack_start = size_t{32} * 1024;
constexpr size_t jit_stack_most = size_t{512} * 1024;

std::string describe_pcre_error(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  const int length = pcre2_get_error_message(code, text.data(), text.size());
  if (length < 0) return "error " + std::to_string(code);
  return {reinterpret_cast<const char*>(text.data()), static_cast<size_t>(length)};
}

uint32_t pcre_options(Regex::Options options) {
  uint32_t flags = PCRE2_NEVER_BACKSLASH_C;
  if (options.multiline) flags |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
  if (options.caseless) flags |= PCRE2_CASELESS;
  if (options.anchored) flags |= PCRE2_ANCHORED;
  if (options.utf) flags |= PCRE2_UTF | PCRE2_UCP;
  // Else a pattern could begin with (*UTF), and an invalid line would be read as if it were valid.
  if (!options.utf) flags |= PCRE2_NEVER_UTF;
  return flags;
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

}  // namespace

void Captures::Free::operator()(pcre2_real_match_data_8* data) const {
  pcre2_match_data_free(data);
}
void Captures::Free::operator()(pcre2_real_match_context_8* context) const {
  pcre2_match_context_free(context);
}
void Captures::Free::operator()(pcre2_real_jit_stack_8* stack) const {
  pcre2_jit_stack_free(stack);
}
void Regex::Free::operator()(pcre2_real_code_8* code) const {
  pcre2_code_free(code);
}

Captures::Captures()
    : stack_(pcre2_jit_stack_create(jit_stack_start, jit_stack_most, nullptr)),
      context_(pcre2_match_context_create(nullptr)) {
  if (!stack_ || !context_) std::abort();
  pcre2_set_depth_limit(context_.get(), depth_limit);
  pcre2_set_heap_limit(context_.get(), heap_limit);
  pcre2_jit_stack_assign(context_.get(), nullptr, stack_.get());
  make_room(16);
}

void Captures::make_room(uint32_t groups) {
  if (groups + 1 <= room_) return;
  data_.reset(pcre2_match_data_create(groups + 1, nullptr));
  if (!data_) std::abort();
  room_ = groups + 1;
}

std::optional<std::string_view> Captures::group(uint32_t number) const {
  if (number >= found_ || offsets_[size_t{2} * number] == PCRE2_UNSET) return std::nullopt;
  // \K and lookaheads can make a match end before it begins.
  const size_t from = offsets_[size_t{2} * number];
  const size_t to = std::max(from, offsets_[size_t{2} * number + 1]);
  return subject_.substr(from, to - from);
}

size_t Captures::begin(uint32_t number) const {
  return number < found_ ? offsets_[size_t{2} * number] : std::string_view::npos;
}

size_t Captures::end(uint32_t number) const {
  return number < found_ ? offsets_[size_t{2} * number + 1] : std::string_view::npos;
}

Result<Regex> Regex::parse(std::string_view pattern, Options options) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  Regex regex;
  regex.code_.reset(pcre2_compile(units(pattern), pattern.size(), pcre_options(options), &error, &offset, nullptr));
  if (!regex.code_) return fail("at offset " + std::to_string(offset) + ": " + describe_pcre_error(error));
  return regex;
}

Result<Regex> Regex::compile(std::string_view pattern, Options options) {
  Result<Regex> regex = parse(pattern, options);
  if (!regex) return regex;
  pcre2_pattern_info(regex->code_.get(), PCRE2_INFO_CAPTURECOUNT, &regex->groups_);
  regex->read_names();
  regex->linear_ = options.linear;
  // Where JIT isn't to be had (a hardened kernel forbids writable code), the interpreter gives the same answers.
  regex->jit_ = pcre2_jit_compile(regex->code_.get(), PCRE2_JIT_COMPLETE) == 0;
  return regex;
}

Result<void> Regex::check(std::string_view pattern) {
  if (const auto regex = parse(pattern, Options{}); !regex) return Failure(regex.error());
  return {};
}

void Regex::read_names() {
  uint32_t count = 0;
  uint32_t entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMETABLE, static_cast<void*>(&table));
  for (uint32_t index = 0; index < count; ++index) {
    const PCRE2_SPTR entry = table + static_cast<size_t>(index) * entry_size;
    const auto number = static_cast<uint32_t>(entry[0] << 8 | entry[1]);
    names_.push_back({reinterpret_cast<const char*>(entry + 2), number});
  }
}

std::optional<uint32_t> Regex::number_of(std::string_view name) const {
  for (const Name& entry : names_)
    if (entry.name == name) return entry.number;
  return std::nullopt;
}

bool Regex::match(std::string_view subject, Captures& captures, size_t from) const {
  subject = subject.substr(0, max_subject);
  captures.found_ = 0;
  if (from > subject.size()) return false;
  captures.make_room(groups_);
  const size_t length = subject.size() - from;
  pcre2_set_match_limit(captures.context_.get(), linear_ ? limit_of_linear(length) : limit_for(length));
  const auto search = jit_ ? pcre2_jit_match : pcre2_match;
  const uint32_t options = jit_ ? 0 : PCRE2_NO_UTF_CHECK;
  const int found =
      search(code_.get(), units(subject), subject.size(), from, options, captures.data_.get(), captures.context_.get());
  if (found < 0) {
    if (found != PCRE2_ERROR_NOMATCH) ++captures.given_up_;
    return false;
  }
  captures.subject_ = subject;
  captures.offsets_ = pcre2_get_ovector_pointer(captures.data_.get());
  captures.found_ = static_cast<uint32_t>(found);
  return true;
}

}  // namespace palang
