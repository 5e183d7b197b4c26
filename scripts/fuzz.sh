#!/usr/bin/env bash
# Fuzzes every parser, or those named, with libFuzzer: scripts/fuzz.sh [SECONDS] [NAME...]
# SECONDS each (60). What it finds is kept in build/fuzz/findings, and the exit code is 1. Needs clang 19.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
if (($# > 0)); then
  names=("$@")
else
  names=()
  for source in tests/fuzz/fuzz_*.cpp; do
    name=${source##*/fuzz_}
    names+=("${name%.cpp}")
  done
fi
for name in "${names[@]}"; do
  if [[ ! -e tests/fuzz/fuzz_$name.cpp ]]; then
    echo "fuzz.sh: there is no tests/fuzz/fuzz_$name.cpp" >&2
    exit 2
  fi
done

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "${names[@]/#/fuzz_}"
mkdir -p build/fuzz/findings

found=0
for name in "${names[@]}"; do
  echo "== $name, $seconds s"
  grown=build/fuzz/corpus/$name
  mkdir -p "$grown"
  nice "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/findings/$name-" "$grown" "tests/fuzz/corpus/$name" ||
    found=1
done
if ((found)); then
  echo "fuzz.sh: there are findings in build/fuzz/findings" >&2
  exit 1
fi
