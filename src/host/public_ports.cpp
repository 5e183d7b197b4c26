#include "host/public_ports.hpp"

namespace palang {
namespace {

bool is_within(WallTime at, Duration span, WallTime now) {
  return at > WallTime{} && now - at < span;
}

Prefix network_of(const Address& source) {
  return Prefix::of_length(source, source.is_v4() ? 24 : 64);
}

}  // namespace

void PublicPortTracker::note_listening(const Listening& listening, WallTime now) {
  if (!detect_) return;
  listening_ = listening.services;
  std::map<EphemeralSocket, Sojourn> present;
  for (const EphemeralSocket& socket : listening.ephemeral_udp) {
    const auto before = ephemeral_.find(socket);
    Sojourn sojourn = before == ephemeral_.end() ? Sojourn{now, !listened_} : before->second;
    sojourn.counts = sojourn.counts || now - sojourn.since >= ephemeral_counts_after;
    if (sojourn.counts) listening_.udp.add(socket.port);
    present.emplace(socket, sojourn);
  }
  ephemeral_ = std::move(present);
  listened_ = true;
}

bool PublicPortTracker::note_refused(Protocol protocol, uint16_t port, const Address& source, WallTime now) {
  if (protocol != Protocol::tcp && protocol != Protocol::udp) return false;
  const bool tcp = protocol == Protocol::tcp;
  if (!(tcp ? listening_.tcp : listening_.udp).contains(port)) return false;
  Evidence& evidence = (tcp ? tcp_ : udp_)[port];
  const bool refused_before = refused(protocol, evidence, now);
  const Prefix network = network_of(source);
  auto& [newest, other] = evidence.refusals;
  if (newest.at == WallTime{} || newest.network != network) other = newest;
  newest = {network, now};
  const bool declared = (tcp ? declared_.tcp : declared_.udp).contains(port);
  return !declared && !refused_before && refused(protocol, evidence, now);
}

bool PublicPortTracker::refused(Protocol protocol, const Evidence& evidence, WallTime now) {
  if (is_within(evidence.used_at, use_counts_for, now)) return false;
  const bool once = is_within(evidence.refusals[0].at, refusal_counts_for, now);
  const bool twice = once && is_within(evidence.refusals[1].at, refusal_counts_for, now);
  return protocol == Protocol::tcp ? once : twice;
}

PortSet PublicPortTracker::refused_tcp(WallTime now) const {
  PortSet ports;
  for (const auto& [port, evidence] : tcp_)
    if (listening_.tcp.contains(port) && refused(Protocol::tcp, evidence, now)) ports.add(port);
  return ports;
}

void PublicPortTracker::note_used_by_strangers(const PortSet& tcp_ports, WallTime now) {
  for (const uint16_t port : tcp_ports.list())
    if (listening_.tcp.contains(port)) tcp_[port].used_at = now;
}

PortSet PublicPortTracker::without_refused(Protocol protocol, WallTime now) const {
  PortSet ports = protocol == Protocol::tcp ? listening_.tcp : listening_.udp;
  for (const auto& [port, evidence] : evidences(protocol))
    if (refused(protocol, evidence, now)) ports.remove(port);
  return ports;
}

PublicPorts PublicPortTracker::current(WallTime now) const {
  PublicPorts open =
      policy_ ? *policy_ : PublicPorts{without_refused(Protocol::tcp, now), without_refused(Protocol::udp, now)};
  for (const uint16_t port : declared_.tcp.list()) open.tcp.add(port);
  for (const uint16_t port : declared_.udp.list()) open.udp.add(port);
  return open;
}

}  // namespace palang
