#!/usr/bin/env bash
# What the documents refer to is there: files that they link to, and the tests that ARCHITECTURE.md names for each promise.
#
#   docs.sh BUILD_DIRECTORY
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"

failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

links=0
while IFS=: read -r document link; do
  [[ $link == http* || $link == '#'* ]] && continue
  links=$((links + 1))
  [[ -e $(dirname "$document")/${link%%#*} ]] || fail "$document: links to $link, which is not there"
done < <(grep -oE '\]\([^)]+\)' -- *.md docs/*.md docs/decisions/*.md | sed -E 's/\]\(//; s/\)$//')

# The last column of the table of promises; a test is `Suite.Name`, `Suite.*`, `netns.file.name` or `netns.file.start_*`.
known=$(ctest --test-dir "$1" -N | sed -nE 's/^ *Test +#[0-9]+: (unit\.[a-z]+\.)?//p')
tests=0
# shellcheck disable=SC2016 # the backquotes are those of Markdown
while read -r name; do
  tests=$((tests + 1))
  pattern=${name//./\\.}
  grep -qE "^([A-Za-z]+/)?${pattern//\*/.*}" <<<"$known" || fail "ARCHITECTURE.md: names the test $name, which is not there"
done < <(sed -nE 's/^\| [1-9]\. .*\|(.*)\|$/\1/p' ARCHITECTURE.md | grep -oE '`[A-Za-z0-9_.*]+`' | tr -d '`')

((links > 10 && tests > 15)) || fail "only $links links and $tests tests were found: something is wrong with this check"
echo "$links links and $tests tests, $failures not there"
((failures == 0))
