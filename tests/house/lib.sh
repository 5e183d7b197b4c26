# Sourced by the house rules: where the sources are, and how a rule says what it found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Exit code that ctest shows as "skipped".
readonly skipped=77

# All sources of the project in C++, one a line.
cpp_files() {
  find src tests -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h' | sort
}

# need TOOL: skips the rule where the tool is missing.
need() {
  command -v "$1" >/dev/null && return
  echo "skipped: $1 is not installed"
  exit "$skipped"
}
