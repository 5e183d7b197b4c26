#include "app/privileges.hpp"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <vector>

namespace palang {
namespace {

constexpr std::array needed{CAP_CHOWN,  CAP_NET_ADMIN,       CAP_BPF,       CAP_PERFMON,
                            CAP_SYSLOG, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE};

}  // namespace

Result<void> drop_privileges(SpecialRights special) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_os("give up new privileges", "", errno);
  if (capng_get_caps_process() != 0) return fail("read the capabilities of this process: libcap-ng failed");
  if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE) return {};
  std::vector<int> kept;
  for (const int capability : needed)
    if (capng_have_capability(CAPNG_PERMITTED, static_cast<unsigned>(capability)) != 0) kept.push_back(capability);
  if (special.shares_interfaces && capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN) != 0)
    kept.push_back(CAP_SYS_ADMIN);
  if (special.runs_iptables && capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) != 0) kept.push_back(CAP_NET_RAW);
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  capng_clear(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
  for (const int capability : kept)
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 static_cast<unsigned>(capability));
  // Of these, what the bounding set keeps is what iptables has when it is run.
  if (special.runs_iptables)
    for (const int capability : {CAP_NET_ADMIN, CAP_NET_RAW})
      capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, static_cast<unsigned>(capability));
  if (capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
    return fail("give up capabilities: libcap-ng failed");
  return {};
}

}  // namespace palang
