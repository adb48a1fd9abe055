#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages of one or more sets; does nothing if all of them are there.
#
#   tools/install_packages.sh [--list] SET...
#
#   build   compile vernal and fetch the demo model
#   test    build and run every test
#   ci      sanitizers, fuzzing, formatting, static analysis and a browser
#   --list  print the packages instead of installing them
set -euo pipefail

# The Boost that the release has; Debian 12 also carries an older one without the parts we need.
boost_version() {
  # shellcheck source=/dev/null
  [ -r /etc/os-release ] && . /etc/os-release
  case "${ID:-unknown}:${VERSION_ID:-unknown}" in
    debian:12) echo 1.81 ;;
    debian:13 | ubuntu:24.04) echo 1.83 ;;
    *)
      echo "install_packages: known are Debian 12 and 13 and Ubuntu 24.04, found ${PRETTY_NAME:-another system}." >&2
      echo "Install what '$0 --list build' prints by its name there; Boost must be 1.81 or newer." >&2
      return 1
      ;;
  esac
}

# Ubuntu has the browser as a snap only, which test machines seldom run: there the tests of the page skip.
browser_package() {
  # shellcheck source=/dev/null
  [ -r /etc/os-release ] && . /etc/os-release
  if [ "${ID:-unknown}" = debian ]; then echo chromium; fi
}

packages_of() {
  local boost
  case "$1" in
    build)
      boost=$(boost_version)
      echo g++-12 cmake ninja-build ccache pkg-config "libboost${boost}-dev" "libboost-json${boost}-dev" \
        libtomlplusplus-dev libspdlog-dev libfmt-dev libcli11-dev libpcre2-dev libutf8proc-dev libedit-dev \
        libssl-dev libxxhash-dev zlib1g-dev libzstd-dev curl ca-certificates python3 python3-pip
      ;;
    test)
      boost=$(boost_version)
      echo git "libboost-context${boost}-dev" libgtest-dev libgmock-dev clang-16 libc++-16-dev libc++abi-16-dev
      ;;
    ci) echo clang-16 libclang-rt-16-dev llvm-16 clang-tidy-16 clang-format-16 libbenchmark-dev "$(browser_package)" ;;
    *)
      echo "install_packages: expected build, test or ci, found \"$1\"" >&2
      return 2
      ;;
  esac
}

# missing_of PACKAGE...: those that are not installed.
missing_of() {
  comm -13 \
    <(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u) \
    <(printf '%s\n' "$@" | sort -u)
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "install_packages: needs root to install packages. As root: $*" >&2
    return 1
  fi
}

main() {
  local list_only=0 packages=() missing=() set_packages
  if [ "${1:-}" = --list ]; then
    list_only=1
    shift
  fi
  for set in "$@"; do
    set_packages=$(packages_of "$set")
    # shellcheck disable=SC2206 # names without spaces
    packages+=($set_packages)
  done
  if [ "$list_only" -eq 1 ]; then
    printf '%s\n' "${packages[@]}"
    return
  fi
  mapfile -t missing < <(missing_of "${packages[@]}")
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "packages: all ${#packages[@]} are installed"
    return
  fi
  echo "packages: installing ${#missing[@]} of ${#packages[@]}: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    </dev/null >"${TMPDIR:-/tmp}/vernal-packages-$$.log" 2>&1 || {
    tail -n 30 "${TMPDIR:-/tmp}/vernal-packages-$$.log" >&2
    echo "install_packages: apt-get failed; its last lines are above" >&2
    return 1
  }
  rm -f "${TMPDIR:-/tmp}/vernal-packages-$$.log"
}

main "$@"
