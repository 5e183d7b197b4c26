#!/usr/bin/env bash
# How fast packets that come by NFLOG are judged, and how soon; see nflog.py.
set -euo pipefail
exec python3 "$(dirname "$0")/nflog.py" "$@"
