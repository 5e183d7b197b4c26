#!/usr/bin/env bash
# The enforcer alone against the running kernel; see enforce_bench.cpp. Figures for people only.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PALANG_BENCH_DIR:?}/enforce_bench
read -ra flags <<<"$(pkg-config --cflags --libs libmnl fmt)"
g++ -std=c++23 -O2 -Isrc -o "$program" tests/bench/enforce_bench.cpp src/enforce/*.cpp src/{model,net,base}/*.cpp "${flags[@]}"
"$program" ipset
exec "$program"
