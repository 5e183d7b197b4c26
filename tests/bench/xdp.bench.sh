#!/usr/bin/env bash
# What a packet and a ban cost in XDP, against a hash, a trie, nftables and ipset in the same run (xdp_bench.cpp); what the
# tripwire costs and loses (xdp_tripwire_bench.cpp); the real daemon with both (xdp_daemon.py). Needs root, nft, ipset
# and iptables. Works in network namespaces of its own. Takes some ten minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
directory=${PALANG_BENCH_DIR:?}
paths=$directory/xdp_paths.bpf.o
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
read -ra flags <<<"$(pkg-config --cflags --libs libbpf libxdp libmnl fmt)"
rooms=(build/release/src/libpalang_{source,enforce,bpf_gate,bpf_gate_alone,model,net,base}.a)
clang -target bpf -mcpu=v3 -O2 -g -Isrc -idirafter "/usr/include/$(gcc -print-multiarch)" -c tests/bench/xdp_paths.bpf.c -o "$paths"
for program in xdp_bench xdp_tripwire_bench; do
  g++ -std=c++23 -O2 -Isrc -Itests -o "$directory/$program" "tests/bench/$program.cpp" "${rooms[@]}" "${flags[@]}"
done
{
  "$directory/xdp_bench" "$paths"
  "$directory/xdp_tripwire_bench" "$paths"
  python3 -B tests/bench/xdp_daemon.py
} | tee "$directory/xdp.figures" | python3 -B tests/bench/xdp_report.py "$@"
