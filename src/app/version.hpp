#pragma once

namespace palang {

inline constexpr const char* version = PALANG_VERSION;

}  // namespace palang
