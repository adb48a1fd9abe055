#!/usr/bin/env bash
# frozen_backend_test.sh VERNAL PLUGINS FROZEN_PLUGINS MODEL: the program VERNAL runs MODEL on the reference backend of an
# earlier interface version (FROZEN_PLUGINS) and has the frontend prompt_c of that version serve it. The text is that of
# today's backend in PLUGINS.
set -euo pipefail

vernal=$1
plugins=$2
frozen=$3
model=$4
work=$(mktemp -d)
server=  # while it runs
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
# shellcheck source=tests/abi/tiny_deployment.sh
. "$(dirname "$0")/tiny_deployment.sh"

# An installation whose only backend is the frozen one: today's bears the same name.
mkdir -p "$work/bin" "$work/lib/vernal/plugins"
cp "$vernal" "$work/bin/vernal"
cp "$plugins/llama.so" "$work/lib/vernal/plugins/"

write_deployment "$work/today.toml" "$plugins"
write_deployment "$work/frozen.toml" "$frozen" prompt_c 24
expected=$(answer_of "$vernal" "$work/today.toml" 24)
answer=$(answer_of "$work/bin/vernal" "$work/frozen.toml" 24)
if [ -z "$expected" ] || [ "$answer" != "$expected" ]; then
  echo "the frozen backend answers \"$answer\", expected \"$expected\""
  exit 1
fi
expect_served "$work/bin/vernal" "$work/frozen.toml" "$expected"
echo "today's backend, the frozen one and the frozen frontend give the same text: $expected"
