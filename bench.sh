#!/usr/bin/env bash
# Builds palang and runs its benchmarks, each a file tests/bench/GROUP.bench.sh.
#
#   ./bench.sh                  all groups
#   ./bench.sh GROUP            one of them
#   ./bench.sh … --json         one object a line: name, value, unit, reference, ratio, goal, reached
#
# A group is called with --json if that was asked for, and finds the binary to measure in PALANG_BINARY and programs for
# benchmarks in PALANG_BENCH_DIR.
set -euo pipefail
cd "$(dirname "$0")"

groups=()
for file in tests/bench/*.bench.sh; do
  [[ -e $file ]] || continue
  file=${file##*/}
  groups+=("${file%.bench.sh}")
done

usage() {
  echo "usage: ./bench.sh [GROUP] [--json]   (groups: ${groups[*]:-none})" >&2
  exit 2
}

chosen=()
options=()
for argument in "$@"; do
  case "$argument" in
    --json) options=(--json) ;;
    -*) usage ;;
    *)
      [[ " ${groups[*]-} " == *" $argument "* ]] || usage
      chosen+=("$argument")
      ;;
  esac
done
((${#chosen[@]} > 0)) || chosen=(${groups[@]+"${groups[@]}"})
((${#chosen[@]} > 0)) || usage

scripts/dependencies.sh test
scripts/build.sh release
export PALANG_BINARY=$PWD/build/release/palang
export PALANG_BENCH_DIR=$PWD/build/bench
mkdir -p "$PALANG_BENCH_DIR"

status=0
for group in "${chosen[@]}"; do
  "tests/bench/$group.bench.sh" ${options[@]+"${options[@]}"} || status=1
done
exit "$status"
