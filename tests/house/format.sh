#!/usr/bin/env bash
# Every source is as clang-format 19 lays it out (.clang-format).
# shellcheck source=tests/house/lib.sh
. "$(dirname "$0")/lib.sh"
need clang-format-19
cpp_files | xargs clang-format-19 --dry-run --Werror
