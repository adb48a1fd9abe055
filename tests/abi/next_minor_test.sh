#!/usr/bin/env bash
# next_minor_test.sh CMAKE BUILD_FOLDER MODEL PYTHON C_COMPILER: plugins built with the headers of a minor to come
# (next_minor.py) on the host of today. What needs the later minor is refused by name; what does not works, though each
# of its tables and structs is longer than the host's, which end where nothing may be read. Comfort that trusts the later
# sizes is found.
set -euo pipefail

cmake=$1
build=$2
model=$3
python=$4
c_compiler=$5
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
check=$prefix/bin/vernal-plugin-check

"$cmake" --install "$build" --prefix "$prefix" > "$work/install.log" || {
  cat "$work/install.log"
  exit 1
}
"$python" "$here/next_minor.py" "$prefix/include"
"$python" "$here/frozen_headers_test.py" "$here/frozen-1.0" "$prefix/include" "$root/sdk/abi/1.0.layout" "$c_compiler"

# build_example EXAMPLE FOLDER [TARGET_MINOR]: the plugin into FOLDER.
build_example() {
  local source=$2/source-$1
  mkdir -p "$2"
  cp -r "$prefix/share/vernal/sdk/examples/$1" "$source"
  [ $# -lt 3 ] || sed -i "s/^  KIND /  TARGET_MINOR $3\n  KIND /" "$source/CMakeLists.txt"
  "$cmake" -S "$source" -B "$source/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER=g++-12 \
    -DCMAKE_BUILD_TYPE= -DCMAKE_CXX_FLAGS=-O1 > "$2/log" 2>&1 && "$cmake" --build "$source/build" >> "$2/log" 2>&1 || {
    echo "$1 does not build"
    cat "$2/log"
    exit 1
  }
  cp "$source/build"/*.so "$2/"
}

# What a plugin needs is in its manifest, and is compared before it is opened.
build_example architecture "$work/needs"
listing=$("$prefix/bin/vernal" plugins "$work/needs" || true)
grep -q "abi_minor_min expected at most 0, found 1" <<< "$listing" || {
  echo "a plugin that needs a later minor is not refused by name:"
  echo "$listing"
  exit 1
}

for example in backend architecture frontend; do build_example "$example" "$work/plugins" 0; done
while read -r name arguments; do
  # shellcheck disable=SC2086  # arguments are words
  "$check" "$work/plugins/$name.so" $arguments > "$work/check.log" || {
    echo "$name of a later minor does not work with the host of today:"
    cat "$work/check.log"
    exit 1
  }
  tail -1 "$work/check.log"
done << 'CHECKS'
reference --group negotiation --level 2
reference --group model
reference --group errors
toy
one_prompt --set model=mock --set prompt=Hello --set file=/dev/null
CHECKS

# answer_of FOLDER PROGRAM: what the backend of FOLDER makes of the model.
answer_of() {
  cat > "$work/deployment.toml" << DEPLOYMENT
schema = 1
[runtime]
plugin_paths = ["$1"]
[backends.cpu]
plugin = "reference"
[models.tiny]
path = "$model"
backend = "cpu"
context_length = 256
DEPLOYMENT
  "$2" run "$work/deployment.toml" --raw -t 0 -n 12 -p "The sky is"
}
expected=$(answer_of "$build/lib/vernal/plugins" "$build/bin/vernal")
found=$(answer_of "$work/plugins" "$prefix/bin/vernal")
if [ -z "$expected" ] || [ "$found" != "$expected" ]; then
  echo "the backend of a later minor answers \"$found\", expected \"$expected\""
  exit 1
fi

# The same, with comfort that copies a table for as long as its own is: this must be found.
sed -i 's/size < sizeof(Table) ? size : sizeof(Table)/sizeof(Table)/' "$prefix/include/vernal/tables.hpp"
build_example architecture "$work/careless" 0
if "$check" "$work/careless/toy.so" --group negotiation > "$work/check.log"; then
  echo "a plugin that reads tables beyond their size is not found:"
  cat "$work/check.log"
  exit 1
fi
grep -q "FINDING  negotiation.oldest_host" "$work/check.log"
echo "plugins of a later minor: refused where they need it, sound where they do not, found where they trust it"
