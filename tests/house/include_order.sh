#!/usr/bin/env bash
# Rooms include only what the design lets them see:
#   base ← net ← model ← {config, host, source, …} ← engine ← app
# A room sees itself and the rooms before it; those in braces never see one another.
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"

declare -A rank=([base]=0 [net]=1 [model]=2 [engine]=4 [app]=5)
for room in config host source parse rules detect decide ledger enforce firewall api cli; do rank[$room]=3; done

failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

# may_include ROOM FILE: whether sources of the room may include this file, named from src.
may_include() {
  local room=$1 other=${2%%/*}
  [[ $room == "$other" ]] && return
  [[ ($room == enforce || $room == source) && $2 == bpf/abi.h ]] && return
  [[ $room == enforce && ($2 == bpf/hash.h || $2 == bpf/object.hpp) ]] && return
  [[ -n ${rank[$other]-} ]] && ((rank[$other] < rank[$room]))
}

checked=0
while IFS=: read -r file line text; do
  included=${text#*\"}
  included=${included%%\"*}
  room=${file#src/}
  room=${room%%/*}
  checked=$((checked + 1))
  if [[ $room == bpf ]]; then
    [[ $included == bpf/* ]] || fail "$file:$line: bpf/ is for the kernel, too: it includes only itself, not \"$included\""
  elif [[ -z ${rank[$room]-} ]]; then
    fail "$file:$line: src/$room is no room of the design"
  elif [[ ! -f src/$included ]]; then
    fail "$file:$line: \"$included\" is not there; includes are written from src"
  elif ! may_include "$room" "$included"; then
    fail "$file:$line: room $room must not include \"$included\""
  fi
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' src --include='*.cpp' --include='*.hpp' --include='*.c' --include='*.h')

for directory in src/*/; do
  room=$(basename "$directory")
  [[ $room == bpf || -n ${rank[$room]-} ]] || fail "$directory: no room of the design"
done

((checked > 0)) || fail "no include was found: something is wrong with this check"
echo "$checked includes, $failures out of order"
((failures == 0))
