#!/usr/bin/env bash
# How fast a large policy is applied, what a stream of packets notices of it, and how fast what it refuses is judged; see
# firewall.py.
set -euo pipefail
exec python3 "$(dirname "$0")/firewall.py" "$@"
