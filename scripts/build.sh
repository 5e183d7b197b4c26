#!/usr/bin/env bash
# Configures and builds one preset of CMakePresets.json, and says only what somebody wants to know, on standard error.
#
#   scripts/build.sh PRESET [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly oldest_compiler=12      # major version of g++: C++23 with std::expected
readonly memory_per_job=900000   # KiB; the largest translation units take about this much

preset=${1:?usage: scripts/build.sh PRESET [TARGET…]}
shift
directory=build/$preset

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

check_compiler() {
  local compiler=${CXX:-g++} version
  version=$("$compiler" -dumpversion 2>/dev/null) || die "There is no C++ compiler '$compiler' here."
  if [[ ${compiler##*/} == g++* ]] && ((${version%%.*} < oldest_compiler)); then
    die "$compiler is version $version, and palang needs $oldest_compiler or newer." \
      "Name a newer one with CXX=g++-$oldest_compiler $0 …"
  fi
}

configure() {
  local log
  [[ $directory/build.ninja -nt CMakePresets.json ]] && return
  check_compiler
  mkdir -p "$directory"
  log=$directory/configure.log
  cmake --preset "$preset" >"$log" 2>&1 && return
  cat "$log" >&2
  die "Configuring $directory failed: see above."
}

jobs() {
  if [[ -n ${CMAKE_BUILD_PARALLEL_LEVEL-} ]]; then
    echo "$CMAKE_BUILD_PARALLEL_LEVEL"
    return
  fi
  local available processors most
  processors=$(nproc)
  available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
  most=$((${available:-0} / memory_per_job))
  ((most < 1)) && most=1
  echo $((most < processors ? most : processors))
}

build() {
  local -a command=(cmake --build "$directory" -j "$(jobs)")
  (($# == 0)) || command+=(--target "$@")
  if [[ -t 2 ]]; then
    "${command[@]}" >&2 && return # ninja draws its progress
  else
    "${command[@]}" -- --quiet 2>&1 | { grep -vx 'ninja: no work to do.' || true; } >&2 && return
  fi
  die "Building $directory failed: see above."
}

configure
build "$@"
