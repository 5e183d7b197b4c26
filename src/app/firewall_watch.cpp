#include "app/firewall_watch.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "host/boot_time.hpp"
#include "source/nflog.hpp"

namespace palang {
namespace {

constexpr Duration look_interval{1s};

}  // namespace

void FirewallWatch::look(bool changed) {
  (void)guard_.look(changed);
  gate_.use_policy_ports(guard_.open(), clock_.now());
  hear_of_refused();
}

void FirewallWatch::connect(EventLoop& loop) {
  loop.on_readable(guard_.fd(), [this] { guard_.use_new_addresses(); });
  loop.every(look_interval, [this] { look(false); });
}

// A group has one reader: it stays with the one that the configuration names.
void FirewallWatch::hear_of_refused() {
  const uint32_t group = guard_.nflog_group();
  if (group == 0 || group == heard_group_) return;
  const auto& sources = gate_.config().sources;
  const auto reads_it = [group](const SourceSettings& source) {
    return source.type == SourceSettings::Type::nflog && source.group == group;
  };
  if (std::ranges::any_of(sources, reads_it)) return;
  auto source = Nflog::open(static_cast<uint16_t>(group), clock_);
  if (!source) {
    if (trouble_ != source.error().text) log_error(source.error().text + "; refused packets are not judged");
    trouble_ = source.error().text;
    return;
  }
  trouble_.clear();
  heard_group_ = group;
  add_({std::move(*source), LineReader(boot_time()), {}, false});
}

}  // namespace palang
