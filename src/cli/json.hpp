#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "model/command.hpp"

namespace palang {

// The daemon's JSON (docs/api.md) as what it means. Unknown members are passed over: the daemon may be newer.
// Errors say that the reply is not understood.
[[nodiscard]] Result<StatusReply> read_status(std::string_view json);
[[nodiscard]] Result<BansReply> read_bans(std::string_view json);
[[nodiscard]] Result<AllowedReply> read_allowed(std::string_view json);
[[nodiscard]] Result<ExplainReply> read_why(std::string_view json);
[[nodiscard]] Result<ProgressReply> read_progress(std::string_view json);
[[nodiscard]] Result<BanReply> read_ban(std::string_view json);
[[nodiscard]] Result<CountReply> read_count(std::string_view json);
[[nodiscard]] Result<DoneReply> read_done(std::string_view json);

struct Dropped {
  uint64_t changes = 0;
};
// One record of the watch stream.
[[nodiscard]] Result<std::variant<Change, Dropped>> read_record(std::string_view json);

// {"prefix":"192.0.2.1","for":"3d"}: the body of a request; members with an empty value are left out.
[[nodiscard]] std::string body_json(std::initializer_list<std::pair<std::string_view, std::string_view>> members);

// The error that the daemon answered with; a fault about the answer itself if it is none.
[[nodiscard]] Error read_error(std::string_view json, long http_status);

}  // namespace palang
