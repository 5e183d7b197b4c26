#!/usr/bin/env bash
# Every source in src passes the checks of .clang-tidy (clang-tidy 19).
#
#   tidy.sh [ROOM…]
#
# The sources of a room are looked at together, as one: most of the time goes into the headers of libraries, and so
# each is read once for a room. Names in the anonymous namespaces of a room must be distinct for that.
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"
need clang-tidy-19

if (($# == 0)); then
  mapfile -t rooms < <(find src -mindepth 2 -name '*.cpp' -printf '%h\n' | sort -u | xargs -n 1 basename)
  set -- "${rooms[@]}"
fi
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
for room in "$@"; do
  for file in "src/$room"/*.cpp; do printf '#include "%s"\n' "${file#src/}"; done >"$directory/$room.cpp"
done
cp .clang-tidy "$directory/"

look_at() {
  local room=$1 started=$SECONDS status=0
  clang-tidy-19 --quiet --checks=-bugprone-suspicious-include --header-filter=src/ "$directory/$room.cpp" -- \
    -std=c++23 -Isrc -DPALANG_VERSION='""' -DFMT_SHARED -DTOML_HEADER_ONLY=0 -DTOML_SHARED_LIB=1 \
    >"$directory/$room.log" 2>&1 || status=1
  grep -vE '^[0-9]+ warnings? generated\.$' "$directory/$room.log" || true
  echo "$room: $((SECONDS - started)) s$([[ $status == 0 ]] || echo ', with complaints')"
  return "$status"
}
export -f look_at
export directory
printf '%s\n' "$@" | xargs -P "$(nproc)" -I '{}' bash -c 'look_at {}'
