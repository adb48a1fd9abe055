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
# shellcheck source=tests/abi/installed_sdk.sh
. "$here/installed_sdk.sh"
# shellcheck source=tests/abi/tiny_deployment.sh
. "$here/tiny_deployment.sh"
check=$prefix/bin/vernal-plugin-check

toolchain_works g++-12 "" || {
  echo "g++-12 does not build a program"
  exit 77
}
install_vernal
minor=$(sed -n 's/^#define VERNAL_ABI_MINOR \([0-9]*\).*/\1/p' "$prefix/include/vernal/abi/version.h")
"$python" "$here/next_minor.py" "$prefix/include"
"$python" "$here/frozen_headers_test.py" "$here/frozen-1.0" "$prefix/include" "$root/sdk/abi/1.0.layout" "$c_compiler"

# build_plugin EXAMPLE FOLDER: without warnings, for initialisers say nothing of the later members.
build_plugin() {
  build_example "$1" "$2" "" g++-12 "-O1 -w"
}

# What a plugin needs is in its manifest, and is compared before it is opened.
target_minor() { # target_minor K: the examples need that minor of a host
  sed -i -e '/^  TARGET_MINOR /d' -e "s/^  KIND /  TARGET_MINOR $1\n  KIND /" "$prefix"/share/vernal/sdk/examples/*/CMakeLists.txt
}
target_minor $((minor + 1))
build_plugin architecture "$work/needs"
listing=$("$prefix/bin/vernal" plugins "$work/needs/plugins" || true)
grep -q "abi_minor_min expected at most $minor, found $((minor + 1))" <<< "$listing" || {
  echo "a plugin that needs a later minor is not refused by name:"
  echo "$listing"
  exit 1
}

target_minor 0
for example in backend architecture frontend; do build_plugin "$example" "$work/later"; done
while read -r name arguments; do
  # shellcheck disable=SC2086  # arguments are words
  "$check" "$work/later/plugins/$name.so" $arguments > "$work/check.log" || {
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

write_deployment "$work/today.toml" "$build/lib/vernal/plugins"
write_deployment "$work/later.toml" "$work/later/plugins"
expected=$(answer_of "$build/bin/vernal" "$work/today.toml" 12)
found=$(answer_of "$prefix/bin/vernal" "$work/later.toml" 12)
if [ -z "$expected" ] || [ "$found" != "$expected" ]; then
  echo "the backend of a later minor answers \"$found\", expected \"$expected\""
  exit 1
fi

# The same, with comfort that copies a table for as long as its own is: this must be found.
sed -i 's/size < sizeof(Table) ? size : sizeof(Table)/sizeof(Table)/' "$prefix/include/vernal/tables.hpp"
build_plugin architecture "$work/careless"
if "$check" "$work/careless/plugins/toy.so" --group negotiation > "$work/check.log"; then
  echo "a plugin that reads tables beyond their size is not found:"
  cat "$work/check.log"
  exit 1
fi
grep -q "FINDING  negotiation.oldest_host" "$work/check.log"
echo "plugins of a later minor: refused where they need it, sound where they do not, found where they trust it"
