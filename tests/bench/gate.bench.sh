#!/usr/bin/env bash
# The figures that the gate must reach; see gate.py.
set -euo pipefail
exec python3 "$(dirname "$0")/gate.py" "$@"
