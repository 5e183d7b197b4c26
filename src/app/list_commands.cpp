#include "app/list_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/firewall_context.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/words.hpp"
#include "firewall/list_fetch.hpp"
#include "firewall/list_file.hpp"

namespace palang {
namespace {

using Json = nlohmann::ordered_json;

std::string_view action_name(FirewallList::Action action) {
  switch (action) {
    case FirewallList::Action::allow: return "allow";
    case FirewallList::Action::deny: return "deny";
    case FirewallList::Action::ignore: return "ignore";
    case FirewallList::Action::none: return "none";
  }
  return "";
}

bool exempts(const FirewallList& list) {
  return list.action == FirewallList::Action::allow || list.action == FirewallList::Action::ignore;
}

// One list as it is now.
struct ListState {
  const FirewallList* list = nullptr;
  size_t entries = 0;
  WallTime fetched;     // of a list by URL; the epoch: never
  std::string trouble;  // a sentence; "": none
  bool changed = false;
};

ListState look_at(const FirewallList& list, const ListsOptions& options, const std::string& directory, WallTime now) {
  ListState state{&list, 0, {}, "", false};
  if (options.fetch && !list.url.empty()) {
    const auto fetched = fetch_list(
        list, {directory, options.ca_file, FetchOptions{}.most_bytes, FetchOptions{}.seconds, options.now}, now);
    if (!fetched) state.trouble = fetched.error().text;
    state.changed = fetched && fetched->outcome == FetchedList::Outcome::updated;
  }
  if (!list.url.empty()) state.fetched = fetched_at(list, directory);
  const auto content = read_list(list, directory);
  if (content)
    state.entries = content->prefixes.size() + content->hosts.size();
  else if (state.trouble.empty())
    state.trouble = content.error().text;
  return state;
}

Json state_json(const ListState& state) {
  Json fetched = nullptr;
  if (state.fetched != WallTime{}) fetched = format_utc(state.fetched);
  return {{"name", state.list->name},
          {"action", action_name(state.list->action)},
          {"from", state.list->url.empty() ? state.list->file : state.list->url},
          {"entries", state.entries},
          {"fetched", fetched},
          {"changed", state.changed},
          {"trouble", state.trouble}};
}

void print_state(const ListState& state, WallTime now, const Console& console) {
  const FirewallList& list = *state.list;
  std::string age;
  if (!list.url.empty())
    age = state.fetched == WallTime{} ? ", never fetched" : fmt::format(", fetched {}", relative(state.fetched, now));
  console.out << fmt::format("{:<20} {:<7} {:>9} entries{}{}\n{:21}{}\n", list.name, action_name(list.action),
                             grouped(state.entries), age, state.changed ? " (new)" : "", "",
                             printable(list.url.empty() ? list.file : list.url));
}

// A running daemon reads the lists anew; without one the next start does.
void tell_daemon(const ListsOptions& options, const Console& console) {
  const auto reply = ApiClient(options.socket).fetch({"POST", Target("/v1/reload"), ""});
  if (!reply) console.err << "palang: no daemon was told: " << printable(reply.error().text) << "\n";
}

}  // namespace

Result<void> show_lists(const ListsOptions& options, const Console& console) {
  const auto config = load_config(options.config_path);
  if (!config) return Failure(config.error());
  const std::string directory = list_directory(*config);
  std::error_code error;
  if (options.fetch) std::filesystem::create_directories(directory, error);
  if (error) return fail_os("make", directory, error.value());
  const WallTime now = SystemClock{}.now();
  Json all = Json::array();
  std::string troubles;
  bool changed = false;
  if (config->firewall) {
    for (const FirewallList& list : config->firewall->lists) {
      const ListState state = look_at(list, options, directory, now);
      changed = changed || state.changed;
      if (!state.trouble.empty()) troubles += (troubles.empty() ? "" : "\n") + state.trouble;
      if (options.json)
        all.push_back(state_json(state));
      else
        print_state(state, now, console);
    }
  }
  if (options.json)
    console.out << Json{{"lists", std::move(all)}}.dump(-1, ' ', true, Json::error_handler_t::replace) << "\n";
  if (changed) tell_daemon(options, console);
  if (!troubles.empty()) return fail(troubles);
  return {};
}

Result<void> exempt_lists(Config& config, const std::string& config_path) {
  if (!config.firewall) return {};
  for (const FirewallList& list : config.firewall->lists) {
    if (!exempts(list)) continue;
    const auto content = read_list(list, list_directory(config));
    if (!content)
      return Failure(Error::bad_config(fmt::format("{}:{}: firewall.list.{}: {}", config_path, list.written.line,
                                                   list.file.empty() ? "url" : "file", content.error().text)));
    config.policy.allow.insert(config.policy.allow.end(), content->prefixes.begin(), content->prefixes.end());
  }
  return {};
}

std::vector<std::string> exempt_names(const Config& config) {
  std::vector<std::string> names;
  if (!config.firewall) return names;
  for (const FirewallList& list : config.firewall->lists)
    if (const auto content = exempts(list) ? read_list(list, list_directory(config)) : ListContent{})
      names.insert(names.end(), content->hosts.begin(), content->hosts.end());
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

}  // namespace palang
