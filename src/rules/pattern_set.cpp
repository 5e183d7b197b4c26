#include "rules/pattern_set.hpp"

#include <hs/hs.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>

#include "rules/regex.hpp"

namespace palang {
namespace {

// More than this many patterns that begin alike cost more, one by one, than a pass of Hyperscan.
constexpr size_t few = 6;

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

void PatternSet::Database::Free::operator()(hs_database* database) const {
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
  set.prefixes_ = PrefixTree(entries);
  if (set.prefixes_.most_found() > few) {
    std::vector<uint32_t> ids;
    for (const PrefixTree::Entry& entry : entries) ids.push_back(entry.id);
    const auto twice = std::ranges::unique(ids);
    ids.erase(twice.begin(), twice.end());
    set.alike_.compile(patterns, std::move(ids), set.not_alike_);
    std::ranges::sort(set.not_alike_);
  }
  set.others_.compile(patterns, std::move(others), set.always_);
  std::ranges::sort(set.always_);
  return set;
}

void PatternSet::Database::compile(std::span<const Pattern> patterns, std::vector<uint32_t> ids,
                                   std::vector<uint32_t>& refused) {
  const bool able = hs_valid_platform() == HS_SUCCESS;
  const auto has_nul = [&](uint32_t id) { return patterns[id].text.find('\0') != std::string::npos; };
  std::ranges::copy_if(ids, std::back_inserter(refused), has_nul);
  std::erase_if(ids, has_nul);
  // Each round takes out the pattern that was refused.
  while (able && !ids.empty()) {
    std::vector<const char*> texts;
    std::vector<unsigned> flags;
    for (const uint32_t id : ids) {
      const Pattern& pattern = patterns[id];
      texts.push_back(pattern.simple.empty() ? pattern.text.c_str() : pattern.simple.c_str());
      flags.push_back(hyperscan_flags(pattern));
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
    const int which = error->expression;
    hs_free_compile_error(error);
    if (which < 0) break;  // about the set as a whole: it is too large
    refused.push_back(ids[static_cast<size_t>(which)]);
    ids.erase(ids.begin() + which);
  }
  refused.insert(refused.end(), ids.begin(), ids.end());
}

void PatternSet::Database::scan(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const {
  if (!database_) return;
  memory.make_room(database_.get(), serial_);
  const char* data = text.empty() ? "" : text.data();  // null isn't taken for an empty text
  hs_scan(database_.get(), data, static_cast<unsigned>(text.size()), 0, memory.scratch_.get(), note_candidate, &ids);
}

// Keeps of the patterns that begin like the text those that may match it as a whole.
void PatternSet::narrow(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const {
  std::vector<uint32_t>& found = memory.found_;
  found.assign(not_alike_.begin(), not_alike_.end());
  alike_.scan(text, memory, found);
  std::ranges::sort(found);
  std::erase_if(ids, [&](uint32_t id) { return !std::ranges::binary_search(found, id); });
}

void PatternSet::candidates(std::string_view text, ScanMemory& memory, std::vector<uint32_t>& ids) const {
  text = text.substr(0, Regex::max_subject);
  ids.clear();
  prefixes_.find(text, ids);
  if (ids.size() > few && !alike_.empty()) narrow(text, memory, ids);
  ids.insert(ids.end(), always_.begin(), always_.end());
  others_.scan(text, memory, ids);
  if (ids.size() < 2) return;
  std::ranges::sort(ids);
  const auto twice = std::ranges::unique(ids);
  ids.erase(twice.begin(), twice.end());
}

}  // namespace palang
