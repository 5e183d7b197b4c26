#include "rules/f2b_sessions.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace palang::f2b {

namespace {

// What a session keeps of a stranger's words.
constexpr size_t max_key = 256;    // bytes
constexpr size_t max_field = 512;  // bytes
constexpr size_t max_users = 32;

SessionKey key_of(std::string_view id) {
  return {std::string(id.substr(0, max_key))};
}

// Takes a field out; whether it was set.
bool take_field(Fields& fields, std::string_view name) {
  const auto field = fields.find(name);
  if (field == fields.end()) return false;
  const bool set = !field->second.empty();
  fields.erase(field);
  return set;
}

void add_user(Session& session, const Fields& fields) {
  const auto user = fields.find("user");
  if (user == fields.end() || user->second.empty() || session.users.size() >= max_users) return;
  session.users.insert(user->second.substr(0, max_field));
}

void keep_short(Session& session) {
  for (auto& [name, text] : session.fields)
    if (text.size() > max_field) text.resize(max_field);
}

}  // namespace

uint64_t hash_key(HashSeed seed, const SessionKey& key) {
  uint64_t hash = key.text.size();
  for (size_t at = 0; at < key.text.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, key.text.data() + at, std::min(sizeof word, key.text.size() - at));
    hash = hash_words(seed, hash, word);
  }
  return hash_words(seed, hash, 0);
}

void MatchedLines::add(std::string_view line) {
  ++count;
  if (last.size() == max_kept) last.erase(last.begin());
  last.emplace_back(line.substr(0, max_line));
}

void MatchedLines::append(const MatchedLines& others) {
  count += others.count - static_cast<uint32_t>(others.last.size());
  for (const std::string& line : others.last) add(line);
}

bool is_set(const Fields& fields, std::string_view name) {
  const auto field = fields.find(name);
  return field != fields.end() && !field->second.empty();
}

std::unique_ptr<Session>& Sessions::of(std::string_view id, WallTime at) {
  const SessionKey key = key_of(id);
  auto slot = table_.find(key);
  if (slot == table_.none) {
    sweep(at);
    if (table_.size() >= most_) {
      table_.evict_one([](const Entry& a, const Entry& b) { return a.touched < b.touched; });
      ++evicted_;
    }
    slot = table_.find_or_insert(key).first;
  }
  Entry& entry = table_.value(slot);
  entry.touched = ++touches_;
  if (entry.session && at - entry.session->since > lifetime) entry.session.reset();
  return entry.session;
}

// Looks at a few sessions, in turn, so that those that are over don't stay.
void Sessions::sweep(WallTime at) {
  constexpr int portion = 4;
  for (int looked = 0; looked < portion; ++looked, ++hand_) {
    if (hand_ >= table_.slots()) hand_ = 0;
    if (table_.used(hand_) && at - table_.value(hand_).session->since > lifetime) table_.erase(hand_);
  }
}

void Sessions::forget(std::string_view id) {
  const auto slot = table_.find(key_of(id));
  if (slot != table_.none) table_.erase(slot);
}

bool merge_session(std::unique_ptr<Session>& kept, Session current, const MatchedLines& lines) {
  bool gained = is_set(current.fields, "mlfgained");  // logged in: what failed before in this session is forgiven
  bool quiet = gained || is_set(current.fields, "nofail");
  if (gained && !is_set(current.fields, "nofail")) current.fields["nofail"] = current.fields["mlfgained"];
  const bool forget = take_field(current.fields, "mlfforget");

  if (kept) {
    add_user(*kept, current.fields);
    // Whether the session is quiet is told by its last line alone.
    const bool was_quiet = take_field(kept->fields, "nofail");
    const bool had_gained = take_field(kept->fields, "mlfgained");
    if (gained) kept->pending = false;
    // What was told already isn't told again.
    if (!was_quiet && !had_gained && !kept->pending) kept->matches = {};
    for (auto& [name, text] : current.fields) kept->fields[name] = std::move(text);
  } else {
    if (!forget) add_user(current, current.fields);
    kept = std::make_unique<Session>(std::move(current));
  }

  Session& session = *kept;
  const bool was_pending = std::exchange(session.pending, false);
  if (was_pending || session.users.size() > 1) {
    // Failures that wait for their address, or one who tries several accounts, aren't forgiven for one that is right.
    session.fields.erase("nofail");
    session.fields.erase("mlfgained");
    gained = quiet = false;
  }
  if (!quiet) {
    MatchedLines all = std::exchange(session.quiet_matches, {});
    all.append(session.matches);
    if (!gained) all.append(lines);
    session.matches = std::move(all);
  } else if (!forget) {
    session.quiet_matches.append(lines);
  }
  keep_short(session);
  return !forget;
}

}  // namespace palang::f2b
