#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/enforcement.hpp"
#include "app/host_watch.hpp"
#include "config/config.hpp"
#include "enforce/nft_monitor.hpp"
#include "enforce/socket_killer.hpp"
#include "engine/judge.hpp"
#include "engine/line_reader.hpp"
#include "host/public_ports.hpp"
#include "ledger/history.hpp"
#include "ledger/ledger.hpp"
#include "model/enforcer.hpp"

namespace palang {

// All state of the daemon that decisions depend on, and the one place where a decision is carried out: kernel, ledger,
// log, watchers. Belongs to the loop thread.
class Gate {
 public:
  struct Parts {
    std::shared_ptr<const Config> config;  // with the settings of the rules
    RuleBook book;
    std::unique_ptr<Enforcement> enforcer;
    std::unique_ptr<Ledger> ledger;             // null: a dry run, which writes nothing
    std::optional<SocketKiller> socket_killer;  // none: not permitted, or a dry run
    std::optional<Duration> reconcile_every;    // where the kernel can't be told the whole length of a ban
  };
  using Publish = std::function<void(std::span<const Change>)>;

  Gate(Parts parts, HashSeed seed);

  // Where changes are told besides kernel, ledger and log.
  void publish_to(Publish publish) { publish_ = std::move(publish); }

  // Takes over what the ledger remembers, before any line is judged.
  void restore(const Snapshot& snapshot, WallTime now);
  // What the kernel still holds though the ledger was lost becomes decisions again (promise 3).
  void adopt_kernel_bans(WallTime now);

  // Judges what one source read and carries out what comes of it, the read position included (promise 4).
  void judge_batch(LineReader& reader, const Source::Batch& batch, Position position, WallTime now);
  // Bans that XDP made and of whose events nothing is known become decisions, too: it was killed in between, or the
  // kernel had no room for the event.
  void adopt_fresh_bans(Duration older_than, WallTime now);
  // What time alone brings: ends, looks at the kernel's counters, retries, positions of quiet sources.
  void tick(WallTime now);
  // How far every source was read, where that is not saved yet.
  void save_positions(WallTime now);
  void use_host_facts(HostFacts facts, WallTime now);
  // What the standing firewall opens to all; none where there is no such firewall.
  void use_policy_ports(const std::optional<PublicPorts>& ports, WallTime now);
  void use_config(std::shared_ptr<const Config> config, RuleBook book, WallTime now);

  // Makes the kernel hold exactly what is decided.
  void reconcile(WallTime now);
  // Makes it hold what is allowed and open to the public; bans stay as they are.
  void reconcile_surroundings(WallTime now);
  // `what` of ours somebody changed, for the log.
  void on_foreign_change(ForeignChange change, std::string_view what, WallTime now);
  // Whether ours are all there, where ipset is the enforcer.
  void look_at_ipsets(WallTime now);
  [[nodiscard]] Result<void> lift_everything(UnblocksEveryone token) { return enforcer_->lift_everything(token); }

  // For the commands of admins.
  [[nodiscard]] Result<Decision> ban(const BanPrefix& order, WallTime now);
  [[nodiscard]] Result<uint64_t> unban(const UnbanPrefix& order, WallTime now);
  [[nodiscard]] Result<uint64_t> allow(const AllowPrefix& order, WallTime now);
  [[nodiscard]] Result<void> disallow(const Prefix& prefix, WallTime now);

  // For those who report.
  [[nodiscard]] const Config& config() const { return *config_; }
  [[nodiscard]] const Judge& judge() const { return judge_; }
  [[nodiscard]] RuleBook& book() { return book_; }
  // How often each rule found something, by its id.
  [[nodiscard]] const std::vector<uint64_t>& rule_events() const { return rule_events_; }
  [[nodiscard]] const LineCounts& line_counts() const { return line_counts_; }
  [[nodiscard]] const HostFacts& host_facts() const { return facts_; }
  [[nodiscard]] const std::vector<AllowEntry>& allowed() const { return allowed_; }
  [[nodiscard]] PublicPorts open_ports(WallTime now) const { return ports_.current(now); }
  [[nodiscard]] PortSet ports_to_ask_about(WallTime now) const { return ports_.refused_tcp(now); }
  // Why `address` is exempt, "" if it is not.
  [[nodiscard]] std::string why_exempt(const Address& address, WallTime now) const;
  [[nodiscard]] Result<std::vector<Hits>> kernel_hits(std::span<const Ban> bans) { return enforcer_->hits(bans); }
  [[nodiscard]] const Enforcement& enforcement() const { return *enforcer_; }
  [[nodiscard]] Ledger* ledger() { return ledger_.get(); }
  [[nodiscard]] const std::string& kernel_trouble() const { return kernel_trouble_; }
  [[nodiscard]] uint64_t rebuilds() const { return rebuilds_; }

 private:
  struct Waiting {
    Position position;
    bool dirty = false;
  };

  // What came of the events of a batch so far.
  struct Portion {
    LedgerBatch batch;
    std::vector<Address> watched;
    std::vector<Address> decided;
    bool ports_changed = false;
    bool last_decided = false;      // by the last event
    const char* evident = nullptr;  // the line of the last evidence: several rules may find something in one line
    std::vector<Prefix> unclaimed;  // XDP banned them, and nothing was decided for just them
  };
  // The rule that its evidence is for, if any is to be kept.
  [[nodiscard]] std::optional<Rule> judge_event(const Event& event, Portion& portion, WallTime now);
  static void keep_evidence(const Event& event, Rule rule, Portion& portion);
  void carry_out(LedgerBatch batch, WallTime now);
  void close_refused_ports(WallTime now);
  void enforce(std::span<const Change> changes, WallTime now);
  void cut_connections(std::span<const Prefix> peers, WallTime now);
  void log_changes(std::span<const Change> changes, WallTime now);
  void look_at_counters(std::span<const ActiveBans::Slot> looks, std::vector<Change>& changes, WallTime now);
  void renew_exemptions(WallTime now);
  void tell_xdp(WallTime now);
  void remove_unclaimed(std::span<const Prefix> prefixes, WallTime now);
  void note_pending(LedgerBatch& batch, std::span<const Address> watched, std::span<const Address> decided);
  void kernel_failed(const Error& error, WallTime now);
  void save_everything(WallTime now);
  [[nodiscard]] std::vector<Allowed> everything_allowed() const;
  [[nodiscard]] Intended intended(WallTime now) const;
  void remember_position(const Position& position, bool saved);
  void add_unsaved_positions(LedgerBatch& batch);
  void restore_pardons(std::span<const PastDecision> oldest_first);

  std::shared_ptr<const Config> config_;
  std::unique_ptr<Enforcement> enforcer_;
  std::unique_ptr<Ledger> ledger_;
  std::optional<SocketKiller> socket_killer_;
  Publish publish_;
  Judge judge_;
  RuleBook book_;
  std::vector<Event> events_;  // of the line at hand
  std::vector<uint64_t> rule_events_;
  PublicPortTracker ports_;
  std::optional<PublicPorts> policy_ports_;
  PublicPorts told_ports_;
  std::optional<XdpWatch> told_watch_;
  HostFacts facts_;
  std::vector<AllowEntry> allowed_;  // by admins at run time; the configuration's are in config_
  std::vector<Waiting> positions_;   // the last of every source
  LineCounts line_counts_{};
  std::string kernel_trouble_;
  std::string ipset_trouble_;
  std::optional<WallTime> retry_kernel_;
  std::optional<Duration> reconcile_every_;
  WallTime reconciled_;
  WallTime positions_saved_;
  uint64_t rebuilds_ = 0;
  WallTime rebuild_second_;
  int rebuilds_this_second_ = 0;
  WallTime log_second_;
  int logged_this_second_ = 0;
  uint64_t unlogged_ = 0;
};

}  // namespace palang
