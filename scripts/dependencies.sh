#!/usr/bin/env bash
# Installs the distribution packages that palang needs and this machine lacks, and says which.
#
#   scripts/dependencies.sh build   what building takes
#   scripts/dependencies.sh test    what building and testing take
#
# For Debian 12, Debian 13 and Ubuntu 24.04. Silent when nothing is missing. Takes only bash, coreutils and apt for
# granted.
set -euo pipefail

build_packages=(
  g++ clang cmake ninja-build pkg-config
  libfmt-dev libtomlplusplus-dev libsqlite3-dev libmnl-dev libnetfilter-log-dev libsystemd-dev nlohmann-json3-dev
  libevent-dev libcurl4-openssl-dev libcli11-dev zlib1g-dev liblzma-dev libcap-ng-dev libpcre2-dev
  libhyperscan-dev libbpf-dev libxdp-dev libnftables-dev
)
test_packages=(
  libgtest-dev libgmock-dev python3 tzdata nftables ipset iptables iproute2 openssh-client openssl nmap hping3 groff-base
  shellcheck
)
# Installed where the distribution has them; without them their tests are skipped. Other versions of the clang tools
# format and warn differently.
optional_test_packages=(clang-format-19 clang-tidy-19)

say() {
  printf '%s\n' "$*" >&2
}

die() {
  say "$@"
  exit 1
}

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Those of the packages named that are not installed, one a line.
missing_of() {
  local package
  for package in "$@"; do
    is_installed "$package" || printf '%s\n' "$package"
  done
}

in_archive() {
  [[ -n $(apt-cache --quiet=2 --no-all-versions show "$1" 2>/dev/null) ]]
}

all_in_archive() {
  local package
  for package in "$@"; do
    in_archive "$package" || return 1
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

refresh_lists() {
  say "Refreshing the package lists (apt-get update)."
  as_root apt-get --quiet=2 -o DPkg::Lock::Timeout=300 update >&2
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install "$@" >>"$log" 2>&1
}

install_missing() {
  say "Installing $# distribution packages: $*"
  log=$(mktemp)
  # Package lists that are out of date name files that are gone; fresh ones settle that.
  if apt_install "$@" || { refresh_lists && apt_install "$@"; }; then
    rm -f "$log"
    return
  fi
  tail -n 20 "$log" >&2
  die "Could not install the packages above with apt-get; its whole output is in $log."
}

main() {
  local -a wanted=("${build_packages[@]}") optional=()
  case "${1-}" in
    build) ;;
    test)
      wanted+=("${test_packages[@]}")
      optional=("${optional_test_packages[@]}")
      # Installing these starts them. That is no test's business on a machine that runs services.
      [[ -d /run/systemd/system ]] || wanted+=(openssh-server fail2ban nginx systemd-journal-remote)
      ;;
    *) die "usage: scripts/dependencies.sh build|test" ;;
  esac

  if ! command -v dpkg-query apt-get >/dev/null; then
    say "This is no Debian or Ubuntu: nothing is installed for you. Needed are, by their names there: ${wanted[*]}"
    return
  fi

  local -a missing missing_optional
  mapfile -t missing < <(missing_of "${wanted[@]}")
  mapfile -t missing_optional < <(missing_of ${optional[@]+"${optional[@]}"})
  ((${#missing[@]} + ${#missing_optional[@]} > 0)) || return 0

  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    ((${#missing[@]} > 0)) || return 0
    die "These packages are missing, and installing them takes root, or sudo, which is not here either: ${missing[*]}" \
      "As root: apt-get install --no-install-recommends ${missing[*]}"
  fi

  # "bash" tells whether there is any package list at all.
  all_in_archive bash ${missing[@]+"${missing[@]}"} || refresh_lists || die "apt-get update failed: see above."
  local package
  for package in ${missing_optional[@]+"${missing_optional[@]}"}; do
    if in_archive "$package"; then missing+=("$package"); fi
  done
  ((${#missing[@]} == 0)) || install_missing "${missing[@]}"
}

main "$@"
