#include "app/csf_program.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <ostream>
#include <string_view>

#include "app/version.hpp"
#include "cli/csf_command.hpp"
#include "cli/words.hpp"

namespace palang {
namespace {

// `palang firewall …` in the place of this process. Returns only if that fails.
Result<void> become_firewall_command(const Console& console, const char* command) {
  console.out << std::flush;
  const std::array<const char*, 4> arguments{"palang", "firewall", command, nullptr};
  ::execv("/proc/self/exe", const_cast<char* const*>(arguments.data()));
  return fail_os("run", "palang firewall", errno);
}

}  // namespace

bool is_csf(const char* program) {
  const std::string_view path = program == nullptr ? "" : program;
  return path.substr(path.rfind('/') + 1) == "csf";
}

int run_csf_program(const std::vector<std::string>& arguments) {
  Console console = Console::of_process();
  const char* const socket = ::getenv("PALANG_SOCKET");
  const Session session{ApiClient(socket == nullptr ? std::string(default_socket) : socket), console, false,
                        SystemClock{}.now()};
  const CsfPolicy policy{[&] { return become_firewall_command(console, "apply"); },
                         [&] { return become_firewall_command(console, "off"); }};
  const auto code = run_csf(arguments, session, policy, version);
  if (code) return static_cast<int>(*code);
  console.err << "csf: " << printable(code.error().text) << "\n";
  return static_cast<int>(exit_code_of(code.error().kind));
}

}  // namespace palang
