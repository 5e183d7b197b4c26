#!/usr/bin/env bash
# What is written about the commands is complete: every option that `palang COMMAND --help` names stands in palang(8) and
# in the bash completion, and every key of the configuration in palang.toml(5). All pages render without a warning.
#
#   manual.sh PALANG BUILD_DIRECTORY
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"
need groff
palang=$1
page=$2/packaging/palang.8
toml_page=$2/packaging/palang.toml.5
completion=packaging/palang.bash-completion

failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

for manual in "$page" "$toml_page" "$2/packaging/palang-rules.5"; do
  warnings=$(groff -man -ww -Tutf8 -z "$manual" 2>&1)
  [[ -z $warnings ]] || fail "$manual: $warnings"
done

mapfile -t commands < <("$palang" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z]\+\) .*/\1/p')
((${#commands[@]} > 5)) || fail "palang --help names no commands: something is wrong with this check"
for command in "${commands[@]}"; do
  grep -qE "^\.(B|BI|BR) \\\\?$command\b" "$page" || fail "$page: no word about '$command'"
  grep -qE "commands=\".*\b$command\b" "$completion" || fail "$completion: no word about '$command'"
  while read -r option; do
    # In a page every - is written \-.
    grep -qF -- "${option//-/\\-}" "$page" || fail "$page: no word about '$command $option'"
    grep -qF -- "$option" "$completion" || fail "$completion: no word about '$command $option'"
  done < <("$palang" "$command" --help | grep -oE '^  (-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vx -- --help)
done

keys=0
while read -r key; do
  keys=$((keys + 1))
  grep -qE "^\.B $key( =|$)" "$toml_page" || fail "$toml_page: no word about the key '$key'"
done < <("$palang" check --print-defaults | sed -nE 's/^#([a-z_]+) = .*/\1/p; s/^#   ([a-z_]+): .*/\1/p')
((keys > 20)) || fail "palang check --print-defaults names no keys: something is wrong with this check"

echo "${#commands[@]} commands and $keys keys, $failures not described"
((failures == 0))
