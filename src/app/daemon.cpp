#include "app/daemon.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <csignal>

#include "api/server.hpp"
#include "app/answers.hpp"
#include "app/enforcement.hpp"
#include "app/event_loop.hpp"
#include "app/firewall_context.hpp"
#include "app/firewall_watch.hpp"
#include "app/gate.hpp"
#include "app/host_watch.hpp"
#include "app/intake.hpp"
#include "app/ledger_opening.hpp"
#include "app/list_commands.hpp"
#include "app/privileges.hpp"
#include "app/rule_loading.hpp"
#include "app/version.hpp"
#include "base/log.hpp"
#include "host/link_watch.hpp"
#include "source/ring_buffer.hpp"

namespace palang {
namespace {

constexpr Duration tick_interval{100ms};
constexpr Duration poll_interval{1s};   // for what no descriptor announces: silence, a path that became readable
constexpr Duration look_for_files{5s};  // that rules name
constexpr Duration look_at_interfaces_interval{5s};
constexpr Duration flush_timeout{10s};

bool is_dry(const Config& config) {
  return config.enforce.backend == EnforceSettings::Backend::dry_run;
}

class Daemon {
 public:
  Daemon(const DaemonOptions& options, const Config& config)
      : options_(options), config_(std::make_shared<const Config>(config)) {}

  Result<void> start();
  void run();

 private:
  Result<Gate::Parts> open_parts(Snapshot& snapshot);
  Result<void> load_rules(Config& config, RuleBook& book);
  Result<void> open_sources(const Snapshot& snapshot);
  void follow_files();
  void add(Intake intake);
  void attach(size_t intake);
  void guard_firewall();
  void catch_up();
  void connect();
  void watch_kernel();
  void watch_interfaces();
  Result<void> open_tripwire();
  void agree_with_kernel();
  void read(size_t intake);
  void read_later(size_t intake);
  Result<DoneReply> reload();
  Result<void> stop(bool lift);
  void read_all();
  [[nodiscard]] bool ledger_is_behind();

  const DaemonOptions& options_;
  std::shared_ptr<const Config> config_;
  SystemClock clock_;
  EventLoop loop_;
  Enforcement* enforcement_ = nullptr;  // the gate's
  std::unique_ptr<Gate> gate_;
  ServiceNames service_names_;  // the journal asks it
  bool reads_journal_ = false;
  FollowedFiles followed_;
  std::vector<std::string> rule_faults_;
  std::vector<Position> stored_;  // for files that appear later
  std::vector<Intake> intakes_;
  bool connected_ = false;
  std::vector<event*> read_again_;  // one for each intake, owned by the loop
  Source::Batch batch_;
  std::optional<NftMonitor> monitor_;
  uint32_t monitored_ = 0;          // whose changes it leaves out
  event* monitor_event_ = nullptr;  // the loop's
  std::optional<LinkWatch> link_watch_;
  std::unique_ptr<FirewallWatch> firewall_;  // null: a dry run, or standard input
  std::unique_ptr<HostWatch> host_watch_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<ApiServer> api_;
};

// Reads and compiles the rules; what they need to know of the configuration goes into it.
Result<void> Daemon::load_rules(Config& config, RuleBook& book) {
  auto loaded = load_rule_set(config);
  if (!loaded) return Failure(loaded.error());
  rule_faults_ = loaded->faults;
  rule_faults_.insert(rule_faults_.end(), loaded->jail_faults.begin(), loaded->jail_faults.end());
  for (const std::string& fault : rule_faults_) log_error(fault);
  log_info(loaded->summary);
  config.policy.rules = std::move(loaded->settings);
  use_reasons_of(config.policy.rules);
  for (const Prefix& prefix : never_judged(config)) config.policy.allow.push_back(prefix);
  service_names_ = ServiceNames(loaded->definitions);
  followed_.use(config.rules.follow && !options_.read_stdin ? loaded->files : std::vector<std::string>());
  reads_journal_ = !service_names_.empty() || loaded->book.jails.reads_journal();
  book = std::move(loaded->book);
  return {};
}

Result<Gate::Parts> Daemon::open_parts(Snapshot& snapshot) {
  Gate::Parts parts;
  auto config = std::make_shared<Config>(*config_);
  if (const auto loaded = load_rules(*config, parts.book); !loaded) return Failure(loaded.error());
  parts.config = config_ = std::move(config);
  auto enforcement = Enforcement::open(*config_);
  if (!enforcement) return Failure(enforcement.error());
  enforcement_ = enforcement->get();
  parts.enforcer = *std::move(enforcement);
  if (enforcement_->ipset() != nullptr) parts.reconcile_every = one_day;
  if (is_dry(*config_)) return parts;

  auto opened = open_ledger_of(*config_, *enforcement_, clock_.now());
  if (!opened) return Failure(opened.error());
  for (const std::string& notice : opened->notices) log_warning(notice);
  if (!opened->trouble.empty()) log_error(opened->trouble + "; protecting from memory");
  snapshot = std::move(opened->snapshot);
  parts.ledger = std::move(opened->ledger);
  if (auto killer = SocketKiller::open()) {
    parts.socket_killer = std::move(*killer);
  } else {
    log_warning(killer.error().text + "; connections of banned peers will time out instead of being cut");
  }
  return parts;
}

Result<void> Daemon::open_sources(const Snapshot& snapshot) {
  stored_ = snapshot.positions;
  const WantedLines wanted{reads_journal_, [this](const LineOrigin& origin) {
                             return service_names_.wants(origin) || gate_->book().jails.wants(origin);
                           }};
  auto opened =
      options_.read_stdin ? open_stdin_intake(clock_) : open_intakes(*config_, wanted, snapshot.positions, clock_);
  if (!opened) return Failure(opened.error());
  for (const std::string& notice : opened->notices) log_info(notice);
  intakes_ = std::move(opened->intakes);
  for (const Intake& intake : intakes_)
    if (intake.source->name().starts_with("file:")) followed_.leave_out(intake.source->name().substr(5));
  follow_files();
  return open_tripwire();
}

// Opens what has appeared of the files that rules name.
void Daemon::follow_files() {
  const bool first_look = !connected_;
  OpenedIntakes opened = open_followed(followed_, first_look, stored_, clock_);
  for (const std::string& notice : opened.notices) log_info(notice);
  for (Intake& intake : opened.intakes) add(std::move(intake));
}

void Daemon::add(Intake intake) {
  intakes_.push_back(std::move(intake));
  if (connected_) attach(intakes_.size() - 1);
}

void Daemon::guard_firewall() {
  if (is_dry(*config_) || options_.read_stdin) return;
  firewall_ = std::make_unique<FirewallWatch>(firewall_directory(*config_), *gate_, clock_,
                                              [this](Intake intake) { add(std::move(intake)); });
  firewall_->look(true);
}

Result<void> Daemon::start() {
  set_log_level(config_->log.level);
  const SpecialRights special = prepare_for_xdp(config_->enforce);
  if (const auto dropped = drop_privileges(special); !dropped) return dropped;
  Snapshot snapshot;
  auto parts = open_parts(snapshot);
  if (!parts) return Failure(parts.error());
  gate_ = std::make_unique<Gate>(std::move(*parts), HashSeed::random());
  answers_ = std::make_unique<Answers>(
      *gate_, intakes_, rule_faults_, clock_,
      Answers::Actions{[this] { return reload(); }, [this](bool lift) { return stop(lift); }});
  auto api = ApiServer::listen(loop_.base(), {config_->api.socket, config_->api.group}, *answers_);
  if (api) {
    api_ = std::move(*api);
    gate_->publish_to([this](std::span<const Change> changes) { api_->publish(changes); });
  } else if (is_dry(*config_)) {
    log_warning(api.error().text + "; a dry run goes on without");
  } else {
    return Failure(api.error());
  }
  if (const auto opened = open_sources(snapshot); !opened) return opened;

  gate_->restore(snapshot, clock_.now());
  gate_->use_host_facts(look_at_host({}), clock_.now());  // who is exempt, before anything is judged
  if (snapshot.fresh && !is_dry(*config_)) gate_->adopt_kernel_bans(clock_.now());
  snapshot = Snapshot{};
  guard_firewall();
  catch_up();
  gate_->adopt_fresh_bans(Duration{0}, clock_.now());
  agree_with_kernel();
  connect();
  return {};
}

// What was logged while we were away is judged before the kernel is compared with the ledger: a ban that the kernel
// has and the ledger lost (killed between the two) comes back by its line and is never lifted in between.
void Daemon::catch_up() {
  constexpr int most_batches = 2000;  // about 2 GiB; a longer backlog goes on in the loop
  for (size_t i = 0; i < intakes_.size(); ++i) {
    if (intakes_[i].source->fd() < 0 || options_.read_stdin) continue;
    for (int batches = 0; batches < most_batches; ++batches) {
      if (ledger_is_behind()) (void)gate_->ledger()->flush(flush_timeout);
      read(i);
      if (!batch_.more) break;
    }
    if (intakes_[i].trouble.empty() && !intakes_[i].current_trouble().empty())
      log_warning(intakes_[i].current_trouble());
  }
}

void Daemon::attach(size_t intake) {
  read_again_.push_back(loop_.on_demand([this, intake] { read(intake); }));
  const int fd = intakes_[intake].source->fd();
  if (fd >= 0) loop_.on_readable(fd, [this, intake] { read(intake); });
  read_later(intake);
}

void Daemon::connect() {
  connected_ = true;
  for (size_t i = 0; i < intakes_.size(); ++i) attach(i);
  watch_kernel();
  if (firewall_) firewall_->connect(loop_);
  if (enforcement_->ipset() != nullptr) loop_.every(poll_interval, [this] { gate_->look_at_ipsets(clock_.now()); });
  watch_interfaces();
  host_watch_ = std::make_unique<HostWatch>(exempt_names(*config_));
  loop_.on_readable(host_watch_->fd(), [this] {
    gate_->use_host_facts(host_watch_->take(), clock_.now());
    host_watch_->ask_about(gate_->ports_to_ask_about(clock_.now()));
  });
  if (Ledger* ledger = gate_->ledger()) {
    loop_.on_readable(ledger->health_fd(), [this, ledger] {
      (void)ledger->health();
      if (!ledger->behind()) read_all();
    });
  }
  loop_.every(tick_interval, [this] { gate_->tick(clock_.now()); });
  loop_.every(look_for_files, [this] { follow_files(); });
  loop_.every(poll_interval, [this] {
    gate_->adopt_fresh_bans(3s, clock_.now());
    read_all();
    sd_notify(0, "WATCHDOG=1");
  });
  for (const int signal : {SIGTERM, SIGINT}) loop_.on_signal(signal, [this] { (void)stop(false); });
  loop_.on_signal(SIGHUP, [this] {
    if (const auto done = reload(); !done) log_error(done.error().text);
  });
}

// All bans to all enforcers, and then to the interfaces; a second time where that calls for another enforcer.
void Daemon::agree_with_kernel() {
  gate_->reconcile(clock_.now());
  if (!enforcement_->settle()) return;
  gate_->reconcile(clock_.now());
  (void)enforcement_->settle();
}

// XDP's own bans come by its ring buffer, like lines from a log.
Result<void> Daemon::open_tripwire() {
  if (XdpEnforcer* const xdp = enforcement_->xdp(); xdp != nullptr && config_->policy.detect.tripwire.enabled) {
    auto buffer = RingBuffer::open(xdp->program().map("events"), [this](uint64_t jiffies) {
      XdpEnforcer* const now_used = enforcement_->xdp();
      const WallTime now = clock_.now();
      return now_used == nullptr ? now : now_used->time_of(jiffies, now);
    });
    if (!buffer) return Failure(buffer.error());
    intakes_.push_back({std::move(*buffer), LineReader{clock_.now()}, {}, false});
  }
  return {};
}

void Daemon::watch_interfaces() {
  if (!enforcement_->uses_xdp()) return;
  auto watch = LinkWatch::open();
  if (!watch) return log_warning(watch.error().text + "; new interfaces will go unguarded");
  link_watch_ = std::move(*watch);
  const auto follow = [this] {
    if (enforcement_->settle()) agree_with_kernel();
    watch_kernel();
  };
  loop_.on_readable(link_watch_->fd(), [this, follow] {
    link_watch_->drain();
    follow();
  });
  // Nobody tells of a filter of ours that somebody deletes.
  loop_.every(look_at_interfaces_interval, follow);
}

// Listens to what others do to our nftables table, while there is one.
void Daemon::watch_kernel() {
  const uint32_t own = enforcement_->nft_port_id();
  if (own == monitored_) return;
  if (monitor_event_ != nullptr) loop_.forget(std::exchange(monitor_event_, nullptr));
  monitor_.reset();
  monitored_ = own;
  if (own == 0) return;
  auto monitor = NftMonitor::open({&own, 1});
  if (!monitor) return log_warning(monitor.error().text + "; changes to our table by others will go unnoticed");
  monitor_ = std::move(*monitor);
  monitor_event_ = loop_.on_readable(monitor_->fd(), [this] {
    if (const auto change = monitor_->drain()) {
      gate_->on_foreign_change(*change, "our nftables table 'inet palang'", clock_.now());
      if (monitor_->firewall_changed() && firewall_) firewall_->look(true);
    } else {
      log_warning(change.error().text);
    }
  });
}

bool Daemon::ledger_is_behind() {
  return gate_->ledger() != nullptr && gate_->ledger()->behind();
}

void Daemon::read(size_t index) {
  // Lines wait in their log while the ledger catches up; read_all() goes on with them.
  if (!read_again_.empty() && ledger_is_behind()) return;
  Intake& intake = intakes_[index];
  const auto done = intake.source->read(batch_);
  if (!done && intake.trouble != done.error().text) log_error(done.error().text);
  if (done && !intake.trouble.empty()) log_notice(intake.source->name() + " can be read again");
  intake.trouble = done ? std::string() : done.error().text;
  if (!batch_.empty()) gate_->judge_batch(intake.reader, batch_, intake.source->position(), clock_.now());
  if (read_again_.size() <= index) return;
  if (batch_.more) read_later(index);
  intake.finished = batch_.finished;
  if (intake.finished && options_.read_stdin) (void)stop(false);
}

void Daemon::read_all() {
  for (size_t i = 0; i < intakes_.size(); ++i)
    if (!intakes_[i].finished) read_later(i);
}

void Daemon::read_later(size_t intake) {
  EventLoop::trigger(read_again_[intake]);
}

Result<DoneReply> Daemon::reload() {
  auto fresh = configuration_for(options_);
  if (!fresh) return Failure(fresh.error());
  DoneReply reply;
  for (const std::string& what : changes_that_take_a_restart(*config_, *fresh))
    reply.notes.push_back(fmt::format("{} changed in the configuration: that takes a restart", what));
  RuleBook book;
  if (const auto loaded = load_rules(*fresh, book); !loaded) return Failure(loaded.error());
  for (const std::string& fault : rule_faults_) reply.notes.push_back(fault);
  config_ = std::make_shared<const Config>(*std::move(fresh));
  gate_->use_config(config_, std::move(book), clock_.now());
  if (host_watch_) host_watch_->follow_names(exempt_names(*config_));
  follow_files();
  log_notice("configuration reloaded");
  reply.notes.insert(reply.notes.begin(), "configuration reloaded");
  return reply;
}

Result<void> Daemon::stop(bool lift) {
  if (lift) {
    if (const auto lifted = gate_->unban({}, clock_.now()); !lifted) return Failure(lifted.error());
    if (const auto done = gate_->lift_everything({}); !done) return done;
  }
  sd_notify(0, "STOPPING=1");
  loop_.stop();
  return {};
}

void Daemon::run() {
  const size_t bans = gate_->judge().decider().active().size();
  log_notice(fmt::format("palang {} guards this host: {}, profile {}, {} bans in force", version, enforcement_->name(),
                         config_->profile, bans));
  sd_notify(0, "READY=1");
  loop_.run();
  gate_->save_positions(clock_.now());
  if (gate_->ledger() != nullptr)
    if (const auto saved = gate_->ledger()->flush(flush_timeout); !saved) log_error(saved.error().text);
  log_notice("palang stops");
}

}  // namespace

Result<void> run_daemon(const DaemonOptions& options) {
  const auto config = configuration_for(options);
  if (!config) return Failure(config.error());
  Daemon daemon(options, *config);
  if (const auto started = daemon.start(); !started) return started;
  daemon.run();
  return {};
}

}  // namespace palang
