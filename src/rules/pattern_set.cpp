#include "rules/pattern_set.hpp"

#include <hs.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "rules/regex.hpp"

namespace palang {
namespace {

unsigned hyperscan_flags(const PatternSet::Pattern& pattern) {
  unsigned flags = HS_FLAG_PREFILTER | HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
  if (pattern.multiline) flags |= HS_FLAG_MULTILINE;
  if (pattern.caseless) flags |= HS_FLAG_CASELESS;
  return flags;
}

int note_candidate(unsigned id, unsigned long long, unsigned long long, unsigned, void* ids) {
  static_cast<std::vector<uint32_t>*>(ids)->push_back(id);
  return 0;
}

}  // namespace

void ScanMemory::Free::operator()(hs_scratch* scratch) const {
  hs_free_scratch(scratch);
}

void ScanMemory::make_room(const hs_database* database, uint32_t serial) {
  if (serial < fits_.size() && fits_[serial]) return;
  hs_scratch* scratch = scratch_.release();
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) std::abort();
  scratch_.reset(scratch);
  if (serial >= fits_.size()) fits_.resize(serial + 1);
  fits_[serial] = true;
}

void PatternSet::Free::operator()(hs_database* database) const {
  hs_free_database(database);
}

PatternSet PatternSet::compile(std::span<const Pattern> patterns) {
  PatternSet set;
  std::vector<PrefixTree::Entry> entries;
  std::vector<uint32_t> others;
  for (uint32_t id = 0; id < patterns.size(); ++id) {
    const Pattern& pattern = patterns[id];
    const auto beginnings =
        pattern.multiline || pattern.caseless ? std::vector<std::string>() : literal_prefixes(pattern.text);
    if (beginnings.empty()) others.push_back(id);
    for (const std::string& beginning : beginnings) entries.push_back({beginning, id});
  }
  set.prefixes_ = PrefixTree(std::move(entries));
  if (!others.empty()) set.compile_database(patterns, std::move(others));
  std::ranges::sort(set.always_);
  return set;
}

void PatternSet::compile_database(std::span<const Pattern> patterns, std::vector<uint32_t> ids) {
  if (hs_valid_platform() != HS_SUCCESS) {
    always_ = std::move(ids);
    return;
  }
  // Each round takes out the pattern that was refused.
  while (!ids.empty()) {
    std::vector<const char*> texts;
    std::vector<unsigned> flags;
    for (const uint32_t id : ids) {
      texts.push_back(patterns[id].text.c_str());
      flags.push_back(hyperscan_flags(patterns[id]));
    }
    hs_database* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const auto count = static_cast<unsigned>(ids.size());
    if (hs_compile_multi(texts.data(), flags.data(), ids.data(), count, HS_MODE_BLOCK, nullptr, &database, &error) ==
        HS_SUCCESS) {
      static std::atomic<uint32_t> databases{0};
      database_.reset(database);
      serial_ = databases++;
      return;
    }
    const int refused = error->expression;
    hs_free_compile_error(error);
    if (refused < 0) break;  // about the set as a whole: it is too large
    always_.push_back(ids[static_cast<size_t>(refused)]);
    ids.erase(ids.begin() + refused);
  }
  always_.insert(always_.end(), ids.begin(), ids.end());
}

void PatternSet::candidates(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const {
  text = text.substr(0, Regex::max_subject);
  ids.assign(always_.begin(), always_.end());
  prefixes_.find(text, ids);
  if (database_) {
    memory.make_room(database_.get(), serial_);
    hs_scan(database_.get(), text.data(), static_cast<unsigned>(text.size()), 0, memory.scratch_.get(), note_candidate,
            &ids);
  }
  if (ids.size() < 2) return;
  std::ranges::sort(ids);
  const auto twice = std::ranges::unique(ids);
  ids.erase(twice.begin(), twice.end());
}

}  // namespace palang
