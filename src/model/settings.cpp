#include "model/settings.hpp"

namespace palang {

BanSettings default_profile() {
  return {};
}

BanSettings classic_profile() {
  BanSettings classic;
  classic.first = one_day * 3;
  classic.at_most = one_day * 3;
  classic.quiet = Duration{0};
  classic.widen.after = 1;
  classic.always_full = true;
  return classic;
}

}  // namespace palang
