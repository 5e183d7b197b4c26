#!/usr/bin/env bash
# Tries the project as a newcomer does, in a bare Debian: build, replay of a small log and, with --tests, all tests.
# Needs root, debootstrap and the network; takes minutes and about 3 GB below build/fresh. Not part of ./test.sh.
#
#   tests/fresh/run.sh bookworm|trixie [--tests]
#
# The mirror is the one this machine uses for Debian, or PALANG_FRESH_MIRROR.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly fresh=$PWD/build/fresh

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

mirror() {
  if [[ -n ${PALANG_FRESH_MIRROR-} ]]; then
    echo "$PALANG_FRESH_MIRROR"
    return
  fi
  local uri
  # shellcheck disable=SC2016 # apt-get expands these
  uri=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian|Debian|//p' | head -n 1)
  [[ -n $uri ]] || die "This machine has no Debian mirror in its apt sources: name one with PALANG_FRESH_MIRROR."
  echo "$uri"
}

# A pristine tree of the suite, kept as an archive.
bootstrap() {
  [[ -e $fresh/$suite.tar ]] && return
  echo "Making a bare $suite."
  mkdir -p "$fresh"
  rm -rf --one-file-system "$tree"
  debootstrap --variant=minbase "$suite" "$tree" "$(mirror)" >"$fresh/$suite.debootstrap.log" 2>&1 ||
    die "debootstrap failed: see $fresh/$suite.debootstrap.log"
  rm -rf "${tree:?}"/dev/* # the machine's own takes its place
  tar --create --one-file-system --directory "$tree" --file "$fresh/$suite.tar.part" .
  mv "$fresh/$suite.tar.part" "$fresh/$suite.tar"
}

unpack() {
  rm -rf --one-file-system "$tree"
  mkdir -p "$tree"
  tar --extract --directory "$tree" --file "$fresh/$suite.tar"
  cp --remove-destination --dereference /etc/resolv.conf "$tree/etc/resolv.conf"
  # What a clone would bring: the files git knows, and those it would.
  mkdir "$tree/palang"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [[ -e $file ]] && printf '%s\0' "$file"; done |
    tar --create --null --files-from - | tar --extract --directory "$tree/palang"
  cp tests/fresh/inside.sh "$tree/inside.sh"
}

# Mounts and processes are of namespaces of their own, and go with them.
run_inside() {
  # shellcheck disable=SC2016 # expanded inside
  unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run"
    mount -t tmpfs tmpfs "$1/tmp"
    exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
      CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL-}" /inside.sh "${@:2}"
  ' bash "$tree" "$@"
}

suite=${1-}
[[ $suite == bookworm || $suite == trixie ]] || die "usage: tests/fresh/run.sh bookworm|trixie [--tests]"
((EUID == 0)) || die "A bare Debian can only be made by root."
command -v debootstrap >/dev/null || die "debootstrap is not installed (apt-get install debootstrap)."
readonly suite tree=$fresh/$suite

bootstrap
unpack
run_inside "${2-}"
