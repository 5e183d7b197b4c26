#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/firewall_settings.hpp"

namespace palang {

// The values of [firewall] as text spells them. Errors are sentences that name the text.

// "443", "2000-2100", or a service of /etc/services.
[[nodiscard]] Result<PortSpan> parse_port_span(std::string_view text);
[[nodiscard]] std::string print_port_span(const PortSpan& span);

// "100/second", "5/300s", "100/second burst 150"
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);
[[nodiscard]] std::string print_rate(const Rate& rate);

// An address, a prefix, "list:NAME", or the name of a host.
[[nodiscard]] Result<FirewallPeer> parse_firewall_peer(std::string_view text);
[[nodiscard]] std::string print_firewall_peer(const FirewallPeer& peer);

// RFC 3339: "2026-12-31T23:59:59Z", "…+07:00"
[[nodiscard]] Result<WallTime> parse_end_time(std::string_view text);

// Complaints; "" where the text will do.
[[nodiscard]] std::string list_name_complaint(std::string_view name);  // of a [[firewall.list]]
[[nodiscard]] std::string account_complaint(std::string_view name);    // of a user or a group, or a number
[[nodiscard]] std::string note_complaint(std::string_view text);
[[nodiscard]] std::string list_url_complaint(std::string_view url);

}  // namespace palang
