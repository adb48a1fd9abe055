#!/usr/bin/env bash
# plugin_guide_test.sh CMAKE BUILD_FOLDER PYTHON DONOR: does what docs/plugin-guide.md says, with vernal as it is once
# installed: writes its files, runs its commands where they stand, and compares what they print. Warnings are errors.
# DONOR is the model file that the guide takes a tokenizer from.
set -euo pipefail

cmake=$1
build=$2
python=$3
donor=$4
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/abi/installed_sdk.sh
. "$here/installed_sdk.sh"

# Another compiler than the one that builds vernal, if there is one.
export CC CXX
CC=clang-16 CXX=clang++-16
toolchain_works "$CXX" "" || {
  missing "clang++-16 does not build a program; g++-12, which built vernal, does instead"
  CC=gcc-12 CXX=g++-12
}
toolchain_works "$CXX" "" || {
  echo "neither clang++-16 nor g++-12 builds a program"
  exit 77
}
grep -q avx2 /proc/cpuinfo || {
  echo "the guide compares its backend with cpu_avx2; this processor has no AVX2"
  exit 77
}
install_vernal

mkdir "$work/oak"
ln -s "$donor" "$work/oak/donor.gguf"
PATH=$prefix/bin:$(dirname "$cmake"):$PATH
export VERNAL=$prefix PATH
export CMAKE_GENERATOR=Ninja CFLAGS="-Wall -Wextra -Wpedantic -Wconversion -Werror"
export CXXFLAGS=$CFLAGS
umask 022
"$python" "$root/tools/extract_snippets.py" --run "$work/oak" "$root/docs/plugin-guide.md" | tee "$work/walk.log"
for page in "$root"/docs/plugin-guide*.md; do
  grep -q "^== .*/${page##*/}:" "$work/walk.log" || {
    echo "${page##*/}: no page of the guide walks it"
    exit 1
  }
done
