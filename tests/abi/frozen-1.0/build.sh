#!/usr/bin/env bash
# build.sh: makes the C plugins in plugins out of source and the frozen headers, with nothing else.
# build.sh example EXAMPLE OPTIMISATION: makes the plugin of sdk/examples/EXAMPLE as source/examples.tar.xz has it, with
#   the headers there; "-O2" or "-Os".
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=$((600 * 1024)) # bytes of one plugin

# keep FILE: strips it, refuses one that is too large, puts it into plugins.
keep() {
  strip --strip-unneeded "$1"
  local size
  size=$(stat -c %s "$1")
  [ "$size" -le "$limit" ] || {
    echo "$1: expected at most $limit bytes, found $size"
    exit 1
  }
  cp "$1" "$here/plugins/"
}

# c_plugin NAME SOURCE...: the flags are those that vernal_add_plugin gives.
c_plugin() {
  local name=$1
  shift
  gcc-12 -std=c11 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror -fPIC -fvisibility=hidden \
    -ffile-prefix-map="$here"=. -I"$here/include" -I"$here/source" -shared -o "$work/$name.so" \
    "${@/#/$here/source/}" "$here/source/plugin.c" -pthread -lm \
    -Wl,--version-script="$work/exports.map",-z,now,-z,relro,-z,noexecstack,-z,defs,--build-id,-rpath,'$ORIGIN'
  keep "$work/$name.so"
}

if [ $# -eq 0 ]; then
  printf '{\n  global: vernal_plugin_entry_v1;\n  local: *;\n};\n' > "$work/exports.map"
  c_plugin bigram_c architecture.c
  c_plugin prompt_c frontend.c
  c_plugin scalar_c backend/backend.c backend/module.c backend/program.c backend/pool.c backend/step.c
elif [ $# -eq 3 ] && [ "$1" = example ]; then
  tar -xJf "$here/source/examples.tar.xz" -C "$work"
  cat > "$work/CMakeLists.txt" << PROJECT
cmake_minimum_required(VERSION 3.25)
project(frozen VERSION 0.1.0 LANGUAGES C CXX)
add_library(vernal_sdk INTERFACE)
add_library(vernal::sdk ALIAS vernal_sdk)
target_include_directories(vernal_sdk INTERFACE tree/sdk/include)
target_compile_features(vernal_sdk INTERFACE cxx_std_20)
include(tree/cmake/VernalAddPlugin.cmake)
set(VERNAL_PLUGIN_OUTPUT_DIRECTORY "$work/plugins")
add_subdirectory(tree/sdk/examples/$2)
PROJECT
  cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER=g++-12 -DCMAKE_BUILD_TYPE= \
    -DCMAKE_CXX_FLAGS="$3 -DNDEBUG -ffunction-sections -fdata-sections -ffile-prefix-map=$work=." \
    -DCMAKE_MODULE_LINKER_FLAGS=-Wl,--gc-sections
  cmake --build "$work/build"
  keep "$work"/plugins/*.so
else
  sed -n '2,4s/^# //p' "$0"
  exit 2
fi
