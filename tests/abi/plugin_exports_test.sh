#!/usr/bin/env bash
# plugin_exports_test.sh FOLDER: every plugin there exports its entry and nothing else, carries its manifest, binds
# everything at load, has no executable stack and no path of the machine it was built on.
set -euo pipefail
export LC_ALL=C # readelf translates

folder=$1
failures=0

complain() {
  echo "$1: $2"
  failures=$((failures + 1))
}

shopt -s nullglob
plugins=("$folder"/*.so)
if [ ${#plugins[@]} -eq 0 ]; then
  echo "no plugin in $folder"
  exit 1
fi
for plugin in "${plugins[@]}"; do
  name=$(basename "$plugin")
  exports=$(nm -D --defined-only "$plugin" | awk '{print $2, $3}')
  [ "$exports" = "T vernal_plugin_entry_v1" ] || complain "$name" "exports expected the entry alone, found: $exports"
  readelf -nW "$plugin" | grep -q '^  vernal ' || complain "$name" "no manifest"
  readelf -nW "$plugin" | grep -q 'Build ID:' || complain "$name" "no build id"
  readelf -dW "$plugin" | grep -Eq 'BIND_NOW|Flags:.*NOW' || complain "$name" "not bound at load"
  stack=$(readelf -lW "$plugin" | awk '$1 == "GNU_STACK" {print $7}')
  [ "$stack" = RW ] || complain "$name" "stack flags expected RW, found $stack"
  runpath=$(readelf -dW "$plugin" | sed -n 's/.*(R\(UN\)\?PATH).*\[\(.*\)\]/\2/p')
  [ "$runpath" = '$ORIGIN' ] || complain "$name" "run path expected \$ORIGIN, found $runpath"
done
echo "${#plugins[@]} plugins, $failures problems"
[ "$failures" -eq 0 ]
