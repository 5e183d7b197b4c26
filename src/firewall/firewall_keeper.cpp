#include "firewall/firewall_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/text.hpp"
#include "firewall/list_file.hpp"
#include "firewall/nft_script.hpp"
#include "firewall/peers.hpp"

namespace palang {
namespace {

int64_t ms_since_boot() {
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::string this_boot() {
  const auto text = read_small_file("/proc/sys/kernel/random/boot_id", 256);
  return text ? std::string(trim(*text)) : std::string();
}

Duration left_of(const StoredTrial& trial) {
  if (trial.boot != this_boot()) return Duration{0};
  return std::chrono::milliseconds(std::max<int64_t>(trial.ends_ms - ms_since_boot(), 0));
}

std::vector<std::string_view> views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

Result<void> FirewallKeeper::look(Scene& scene) {
  auto listing = nft_.list_firewall();
  if (!listing) return Failure(listing.error());
  scene.listing = std::move(*listing);
  scene.held = FirewallInKernel::parse(scene.listing);
  return {};
}

Result<FirewallKeeper::Scene> FirewallKeeper::enter(Duration patience) {
  Scene scene;
  auto lock = store_.lock(patience);
  if (!lock) return Failure(lock.error());
  scene.lock = std::move(*lock);
  for (const auto which : {FirewallStore::Policy::panic, FirewallStore::Policy::confirmed}) {
    auto policy = store_.read(which);
    if (!policy) return Failure(policy.error());
    if (*policy) scene.in_force = std::move(*policy);
    if (scene.in_force) break;
  }
  if (auto done = look(scene); !done) return Failure(done.error());
  if (auto done = tidy(scene); !done) return Failure(done.error());
  return scene;
}

Result<void> FirewallKeeper::run(Scene& scene, const std::string& script) {
  if (auto done = nft_.run(script); !done) return done;
  if (auto done = look(scene); !done) return done;
  return store_.write_listing(scene.listing);
}

// A trial that is over left its chains, to which nothing leads any more.
Result<void> FirewallKeeper::tidy(Scene& scene) {
  const auto trial = store_.read_trial();
  if (trial && *trial && left_of(**trial) > Duration{0}) return {};
  if (trial && !*trial) return {};
  if (auto done = load(scene); !done) return done;
  return store_.remove_trial();
}

// What should be in force; nothing where nothing should.
Result<void> FirewallKeeper::load(Scene& scene) {
  if (!scene.in_force) return scene.held.empty() ? Result<void>{} : run(scene, script_to_remove(scene.held));
  if (scene.held.has_generation(scene.in_force->generation))
    return run(scene, script_to_settle(scene.in_force->generation, scene.held));
  return run(scene, script_to_load(scene.in_force->whole, scene.held));
}

Result<FirewallStanding> FirewallKeeper::standing() {
  FirewallStanding standing;
  const auto panic = store_.read(FirewallStore::Policy::panic);
  if (!panic) return Failure(panic.error());
  standing.panics = panic->has_value();
  auto confirmed = store_.read(FirewallStore::Policy::confirmed);
  if (!confirmed) return Failure(confirmed.error());
  standing.confirmed = std::move(*confirmed);
  auto trial = store_.read_trial();
  if (trial && *trial && left_of(**trial) > Duration{0}) {
    standing.trial_left = left_of(**trial);
    standing.trial = std::move(*trial);
  }
  auto listing = nft_.list_firewall();
  if (!listing) return Failure(listing.error());
  standing.in_kernel = *listing == store_.read_listing();
  standing.listing = std::move(*listing);
  return standing;
}

Result<uint32_t> FirewallKeeper::next_generation() {
  const auto scene = enter();
  if (!scene) return Failure(scene.error());
  uint32_t newest = scene->held.newest_generation();
  const auto confirmed = store_.read(FirewallStore::Policy::confirmed);
  if (confirmed && *confirmed) newest = std::max(newest, (*confirmed)->generation);
  return newest + 1;
}

Result<void> FirewallKeeper::begin_trial(const CompiledPolicy& policy, const StoredPolicy& stored, Duration lasts,
                                         std::vector<std::string> connections) {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  if (scene->in_force && !scene->held.has_generation(scene->in_force->generation))
    if (auto done = load(*scene); !done) return done;
  Trial trial{policy, 0, {}, lasts};
  if (scene->in_force) {
    trial.before = scene->in_force->generation;
    trial.hooks_before = views(scene->in_force->hooks);
  }
  const StoredTrial written{stored, this_boot(),
                            ms_since_boot() + std::chrono::ceil<std::chrono::milliseconds>(lasts).count(),
                            std::move(connections)};
  if (auto done = store_.write_trial(written); !done) return done;
  const auto done = run(*scene, script_of_trial(trial, scene->held));
  if (!done) (void)store_.remove_trial();
  return done;
}

Result<void> FirewallKeeper::confirm() {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  const auto trial = store_.read_trial();
  if (!trial) return Failure(trial.error());
  if (!*trial || !scene->held.has_generation((*trial)->policy.generation))
    return Failure(Error::usage("there is nothing to confirm: no policy is on trial, or its time is over"));
  // The kernel first: what is on disk would come back at the next boot without anyone having confirmed it in time.
  if (auto done = run(*scene, script_to_settle((*trial)->policy.generation, scene->held)); !done) return done;
  if (auto done = store_.write(FirewallStore::Policy::confirmed, (*trial)->policy); !done) return done;
  return store_.remove_trial();
}

Result<void> FirewallKeeper::end_trial() {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  if (auto done = load(*scene); !done) return done;
  return store_.remove_trial();
}

Result<void> FirewallKeeper::panic(const CompiledPolicy& policy) {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  const StoredPolicy stored = stored_policy(policy, {}, 0);
  if (auto done = run(*scene, script_to_load(stored.whole, scene->held)); !done) return done;
  if (auto done = store_.remove_trial(); !done) return done;
  return store_.write(FirewallStore::Policy::panic, stored);
}

Result<void> FirewallKeeper::end_panic() {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  auto confirmed = store_.read(FirewallStore::Policy::confirmed);
  if (!confirmed) return Failure(confirmed.error());
  if (auto done = store_.remove(FirewallStore::Policy::panic); !done) return done;
  scene->in_force = std::move(*confirmed);
  return load(*scene);
}

// Also the table, where nothing of the bans is in it.
Result<void> FirewallKeeper::remove() {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  for (const auto which : {FirewallStore::Policy::confirmed, FirewallStore::Policy::panic})
    if (auto done = store_.remove(which); !done) return done;
  if (auto done = store_.remove_trial(); !done) return done;
  scene->in_force.reset();
  if (auto done = load(*scene); !done) return done;
  return nft_.remove_table_if_empty();
}

Result<void> FirewallKeeper::set_host(const std::string& host, const std::vector<Address>& addresses) {
  auto scene = enter();
  if (!scene) return Failure(scene.error());
  std::string script;
  for (const bool v4 : {true, false}) {
    std::string elements;
    for (const Address& address : addresses)
      if (address.is_v4() == v4) elements += (elements.empty() ? "" : ", ") + address.text();
    const std::string begin = fmt::format("fw_{}_", PeerSets::host_set(host, v4));
    for (const std::string& set : scene->held.sets) {
      if (!set.starts_with(begin) || set.find('_', begin.size()) != std::string::npos) continue;
      script += fmt::format("flush set inet {} {}\n", firewall_table, set);
      if (!elements.empty()) script += fmt::format("add element inet {} {} {{ {} }}\n", firewall_table, set, elements);
    }
  }
  return script.empty() ? Result<void>{} : run(*scene, script);
}

Result<bool> FirewallKeeper::restore(Duration patience) {
  auto scene = enter(patience);
  if (!scene) return Failure(scene.error());
  const auto trial = store_.read_trial();
  const bool nothing_to_hold = !scene->in_force && !(trial && *trial);
  if (scene->listing == store_.read_listing() || (nothing_to_hold && scene->held.empty())) return false;
  // A trial that somebody disturbed is over: what was confirmed is what is certain.
  if (scene->in_force && !scene->held.empty()) {
    if (auto done = run(*scene, script_to_load(scene->in_force->whole, scene->held)); !done)
      return Failure(done.error());
  } else if (auto done = load(*scene); !done) {
    return Failure(done.error());
  }
  if (auto done = store_.remove_trial(); !done) return Failure(done.error());
  return true;
}

}  // namespace palang
