#!/usr/bin/env bash
# build.sh CMAKE BUILD_FOLDER: makes plugins/*.so out of source and the frozen headers. The rules that give a plugin its
# manifest come from the SDK that BUILD_FOLDER installs; its headers are hidden behind the frozen ones.
set -euo pipefail

cmake=$1
build=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/prefix" > /dev/null
for kind in architecture frontend; do
  "$cmake" -S "$here/source/$kind" -B "$work/$kind" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_CXX_COMPILER=g++-12 -DCMAKE_BUILD_TYPE=MinSizeRel -DCMAKE_MODULE_LINKER_FLAGS="-Wl,--gc-sections -s" \
    -DCMAKE_CXX_FLAGS="-I$here/include -ffunction-sections -fdata-sections -ffile-prefix-map=$here=." > /dev/null
  "$cmake" --build "$work/$kind" > /dev/null
  cp "$work/$kind"/*.so "$here/plugins/"
done
for plugin in "$here"/plugins/*.so; do
  size=$(stat -c %s "$plugin")
  [ "$size" -lt 100000 ] || {
    echo "$plugin: expected less than 100000 bytes, found $size"
    exit 1
  }
done
