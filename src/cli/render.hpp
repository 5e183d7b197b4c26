#pragma once

#include <string>
#include <variant>

#include "base/time.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "model/command.hpp"

namespace palang {

// How replies look to a person.
struct View {
  Style style;
  unsigned width = 0;  // columns; 0: endless
  WallTime now;
};

[[nodiscard]] std::string render_status(const StatusReply& status, const View& view);
[[nodiscard]] std::string render_bans(const BansReply& reply, const View& view);
[[nodiscard]] std::string render_allowed(const AllowedReply& reply, const View& view);
[[nodiscard]] std::string render_why(const ExplainReply& why, const View& view);
// "198.51.100.9 is banned everywhere until …"
[[nodiscard]] std::string render_ban(const BanView& ban, const View& view);
// One line, for `watch`.
[[nodiscard]] std::string render_record(const std::variant<Change, Dropped>& record, const View& view);

}  // namespace palang
