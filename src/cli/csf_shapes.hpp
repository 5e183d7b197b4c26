#pragma once

#include <string>

#include "base/time.hpp"
#include "model/command.hpp"

namespace palang {

// What CSF's own output looks like: scripts and control panels read it.

// "DROP  all opt -- in !lo out *  192.0.2.1  -> 0.0.0.0/0"
[[nodiscard]] std::string drop_line(const Prefix& prefix);
// In and out, two lines.
[[nodiscard]] std::string accept_lines(const Prefix& prefix);

// CSF's temporary entries have an end within a year; those of csf.deny have none, which here is ten years.
[[nodiscard]] bool is_temporary(const BanView& ban);

// `csf -t`
[[nodiscard]] std::string temporary_table(const BansReply& bans, const AllowedReply& allowed, WallTime now);
// `csf -g ADDRESS`; of the replies, what covers the address or lies within it.
[[nodiscard]] std::string grep_text(const Prefix& asked, const BansReply& bans, const AllowedReply& allowed,
                                    WallTime now);
// `csf -l`
[[nodiscard]] std::string chains_text(const BansReply& bans, const AllowedReply& allowed);

}  // namespace palang
