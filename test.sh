#!/usr/bin/env bash
# Builds palang with and without sanitizers (installing the distribution packages that lacks) and runs all tests.
#
#   ./test.sh                       everything
#   ./test.sh -R unit.parse         what ctest's options choose
set -euo pipefail
cd "$(dirname "$0")"

scripts/dependencies.sh test
# Tests of the whole program run the very binary that is shipped.
scripts/build.sh release
scripts/build.sh asan

# The tests in network namespaces read what their firewalls log; the kernel keeps that to itself unless told otherwise.
all_namespaces=/proc/sys/net/netfilter/nf_log_all_netns
if ((EUID == 0)) && [[ -w $all_namespaces ]]; then
  before=$(<"$all_namespaces")
  trap 'echo "$before" >"$all_namespaces"' EXIT
  echo 1 >"$all_namespaces"
fi

export PALANG_BINARY=$PWD/build/release/palang
ctest --test-dir build/asan --parallel "$(nproc)" --output-on-failure --no-tests=error "$@"
