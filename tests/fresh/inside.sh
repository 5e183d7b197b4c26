#!/usr/bin/env bash
# The part of run.sh that runs inside the bare Debian, with the project at /palang.
set -euo pipefail
cd /palang
# shellcheck disable=SC1091 # another one on every machine
. /etc/os-release
echo "== $PRETTY_NAME"

timed() {
  local start=$SECONDS
  "$@"
  echo "== $* took $((SECONDS - start)) s"
}

timed ./run.sh build
g++ --version | head -n 1
timed ./run.sh build

# Ten sources, a hundred lines each: CSF's prefix, half of them closed to everyone.
for ((i = 0; i < 1000; ++i)); do
  printf '2025-01-12T%02d:%02d:41.931343+07:00 web1 kernel: Firewall: *TCP_IN Blocked* IN=eth0 OUT= MAC= SRC=203.0.113.%d DST=198.51.100.6 LEN=40 TOS=0x00 PREC=0x00 TTL=15 ID=11223 PROTO=TCP SPT=64490 DPT=%d WINDOW=50169 RES=0x00 SYN URGP=0\n' \
    $((i / 60)) $((i % 60)) $((i % 10 + 1)) $((8000 + i % 7))
done >/tmp/kern.log
./run.sh replay /tmp/kern.log
summary=$(./run.sh replay --json /tmp/kern.log)
[[ $summary == *'"lines":1000,"events":1000,"sources":10,'* ]] || {
  echo "The replay counted wrong: $summary" >&2
  exit 1
}

if [[ ${1-} == --tests ]]; then timed ./test.sh; fi
echo "== $PRETTY_NAME: all well"
