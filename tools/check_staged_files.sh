#!/usr/bin/env bash
# Refuses what must never be committed: stray whitespace, large files, model weights, private keys. Its arguments are the
# files about to be committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

status=0
refuse() {
  echo "$1: $2" >&2
  status=1
}

git diff --cached --check || status=1
for file in "$@"; do
  [ -f "$file" ] || continue
  bytes=$(stat --format=%s "$file")
  case "$file" in
    tests/golden/* | tests/fuzz/seeds/*) ;; # tests/golden has a limit of its own, which a test checks
    *.gguf | *.safetensors) refuse "$file" "model weights are never committed" ;;
    *) [ "$bytes" -le 1048576 ] || refuse "$file" "expected at most 1 MiB, found $bytes bytes" ;;
  esac
  if grep -qE -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$file"; then refuse "$file" "holds a private key"; fi
done
exit "$status"
