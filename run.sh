#!/usr/bin/env bash
# Builds palang (installing the distribution packages that lacks) and runs it.
#
#   ./run.sh                   build, then guard this host: the daemon, on its embedded defaults
#   ./run.sh build             build only: build/release/palang
#   ./run.sh replay FILE…      build, then replay old logs (.gz and .xz, too): what would have been banned?
#   ./run.sh COMMAND …         build, then any other command of palang, such as status, why, check, --help
set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
palang=$root/build/release/palang

"$root/scripts/dependencies.sh" build </dev/null
[[ -x $palang || ! -t 2 ]] || echo "Building palang for the first time; this takes some minutes." >&2
"$root/scripts/build.sh" release </dev/null

case "${1-}" in
  build)
    echo "built $palang"
    ;;
  "")
    if ((EUID != 0)); then
      echo "palang is built. To guard this host it must be root, as it reads the kernel's log and sets firewall rules:" >&2
      echo "  sudo $palang daemon" >&2
      echo "To see what it would do, as anyone who may read the logs: ./run.sh replay /var/log/kern.log" >&2
      exit 1
    fi
    exec "$palang" daemon
    ;;
  *)
    exec "$palang" "$@"
    ;;
esac
