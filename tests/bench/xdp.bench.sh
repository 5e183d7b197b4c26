#!/usr/bin/env bash
# What a packet and a ban cost in XDP, against a hash, a trie, nftables and ipset in the same run; see xdp_bench.cpp.
# Needs root, nft, ipset and iptables. Works in a network namespace of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PALANG_BENCH_DIR:?}/xdp_bench
paths=$PALANG_BENCH_DIR/xdp_paths.bpf.o
for tool in nft ipset iptables ip; do
  command -v "$tool" >/dev/null || {
    echo "skipped: $tool is not installed" >&2
    exit 0
  }
done
((EUID == 0)) || {
  echo "skipped: loading a program into the kernel takes root" >&2
  exit 0
}
read -ra flags <<<"$(pkg-config --cflags --libs libbpf fmt)"
clang -target bpf -mcpu=v3 -O2 -g -Isrc -idirafter "/usr/include/$(gcc -print-multiarch)" -c tests/bench/xdp_paths.bpf.c -o "$paths"
g++ -std=c++23 -O2 -Isrc -o "$program" tests/bench/xdp_bench.cpp src/enforce/xdp_*.cpp src/{model,net,base}/*.cpp \
  build/release/bpf/gate_object.cpp "${flags[@]}"
"$program" "$paths" | python3 tests/bench/xdp_report.py "$@"
