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

export PALANG_BINARY=$PWD/build/release/palang
exec ctest --test-dir build/asan --parallel "$(nproc)" --output-on-failure --no-tests=error "$@"
