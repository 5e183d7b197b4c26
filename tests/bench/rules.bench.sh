#!/usr/bin/env bash
# The figures that the rules must reach; see rules.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PALANG_BENCH_DIR:?}/rules_bench
read -ra flags <<<"$(pkg-config --cflags --libs libpcre2-8 libhs fmt)"
libraries=()
for room in engine parse rules detect decide model net base; do libraries+=("build/release/src/libpalang_$room.a"); done
g++ -std=c++23 -O2 -Isrc -o "$program" tests/bench/rules_bench.cpp "${libraries[@]}" "${flags[@]}"
python3 tests/bench/rules.py "$@"
exec python3 tests/bench/access_flood.py "$@"
