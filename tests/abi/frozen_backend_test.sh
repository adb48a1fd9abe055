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

# An installation whose only backend is the frozen one: today's bears the same name.
mkdir -p "$work/bin" "$work/lib/vernal/plugins"
cp "$vernal" "$work/bin/vernal"
cp "$plugins/llama.so" "$work/lib/vernal/plugins/"

# write_deployment FILE PLUGIN_FOLDER
write_deployment() {
  cat > "$1" << DEPLOYMENT
schema = 1
[runtime]
plugin_paths = ["$2"]
[backends.cpu]
plugin = "reference"
[models.tiny]
path = "$model"
backend = "cpu"
context_length = 256
DEPLOYMENT
}

prompt="The sky is"
write_deployment "$work/today.toml" "$plugins"
write_deployment "$work/frozen.toml" "$frozen"
expected=$("$vernal" run "$work/today.toml" --raw -t 0 -n 24 -p "$prompt")
answer=$("$work/bin/vernal" run "$work/frozen.toml" --raw -t 0 -n 24 -p "$prompt")
if [ -z "$expected" ] || [ "$answer" != "$expected" ]; then
  echo "the frozen backend answers \"$answer\", expected \"$expected\""
  exit 1
fi

cat >> "$work/frozen.toml" << FRONTEND
[frontends.ask]
plugin = "prompt_c"
model = "tiny"
prompt = "$prompt"
file = "answer.txt"
max_tokens = 24
FRONTEND
"$work/bin/vernal" serve "$work/frozen.toml" 2> "$work/serve.log" &
server=$!
for _ in $(seq 600); do
  [ "$(cat "$work/answer.txt" 2> /dev/null)" = "$expected" ] && break
  kill -0 "$server" 2> /dev/null || break
  sleep 0.1
done
kill -TERM "$server" 2> /dev/null || true
wait "$server" || {
  server=
  echo "vernal serve did not end well"
  cat "$work/serve.log"
  exit 1
}
server=
served=$(cat "$work/answer.txt" 2> /dev/null) || true
if [ "$served" != "$expected" ]; then
  echo "the frozen frontend wrote \"$served\", expected \"$expected\""
  cat "$work/serve.log"
  exit 1
fi
echo "today's backend, the frozen one and the frozen frontend give the same text: $expected"
