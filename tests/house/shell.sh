#!/usr/bin/env bash
# Every shell script is clean by shellcheck.
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"
need shellcheck
{
  printf '%s\n' run.sh test.sh bench.sh .ci/run
  find scripts tests packaging -name '*.sh' -o -name '*.bash-completion'
} | xargs shellcheck --external-sources --shell=bash
