#include "rules/binding.hpp"

#include <fnmatch.h>

namespace palang {

bool program_fits(std::string_view program, std::string_view glob) {
  if (!glob.ends_with('*')) return program == glob;
  glob.remove_suffix(1);
  return program.starts_with(glob);
}

bool file_fits(std::string_view file, const std::string& glob) {
  return fnmatch(glob.c_str(), std::string(file).c_str(), FNM_PATHNAME) == 0;
}

}  // namespace palang
