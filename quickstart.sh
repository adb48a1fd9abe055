#!/usr/bin/env bash
# From a fresh clone to a first answer: packages, build, model, server, question, console.
#
#   ./quickstart.sh [--once] [--model NAME]
#
#   --once        end after the first answer instead of opening the console
#   --model NAME  qwen2.5-coder-1.5b-instruct (default; 1.1 GB) or gemma3-270m (0.25 GB; continues text, does not chat)
#
# It may be run again and again: what is done already takes no time. The steps are also in README.md, to do by hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

model=qwen2.5-coder-1.5b-instruct
once=0
server_pid=
readonly vernal=build/release/bin/vernal
readonly log=build/quickstart.log

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

step() { printf '\n[%s] %s\n' "$1" "$2"; }

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --once) once=1 ;;
      --model)
        [ $# -ge 2 ] || fail "--model needs a name; $0 --help names them"
        model=$2
        shift
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) fail "expected --once or --model NAME, found \"$1\"" ;;
    esac
    shift
  done
  case "$model" in
    qwen2.5-coder-1.5b-instruct) config=configs/quickstart.toml ;;
    gemma3-270m) config=configs/quickstart-gemma3.toml ;;
    *) fail "expected qwen2.5-coder-1.5b-instruct or gemma3-270m, found \"$model\"" ;;
  esac
}

build() {
  cmake --preset release -DVERNAL_BUILD_TESTS=OFF >build/configure.log 2>&1 || {
    tail -n 20 build/configure.log >&2
    fail "CMake could not configure the build; its last lines are above, all of them in build/configure.log"
  }
  local jobs
  jobs=$(tools/build_jobs.sh)
  if [ -t 1 ]; then
    cmake --build build/release --parallel "$jobs"
  else
    cmake --build build/release --parallel "$jobs" >build/build.log 2>&1 || {
      tail -n 30 build/build.log >&2
      fail "the build failed; its last lines are above, all of them in build/build.log"
    }
    tail -n 1 build/build.log
  fi
}

is_listening() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

stop_server() {
  [ -n "$server_pid" ] || return 0
  local pid=$server_pid status=0
  server_pid=
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || status=$?
  return "$status"
}

start_server() {
  local address=$1 host=${1%:*} port=${1##*:}
  if is_listening "$host" "$port"; then
    fail "port $port of $host is in use by another program. Stop it, or change \"listen\" in $config."
  fi
  "$vernal" serve "$config" </dev/null >"$log" 2>&1 &
  server_pid=$!
  local deadline=$((SECONDS + 120))
  until curl --silent --fail --max-time 2 --output /dev/null "http://$address/health"; do
    if ! kill -0 "$server_pid" 2>/dev/null; then
      server_pid=
      tail -n 20 "$log" >&2
      fail "the server ended; its last lines are above, all of them in $log"
    fi
    [ "$SECONDS" -lt "$deadline" ] || fail "the server is not ready after 120 s; see $log"
    sleep 0.1
  done
  echo "vernal serve $config: ready on http://$address (log: $log)"
}

# Asks over HTTP and shows the command that does the same.
ask() {
  local url body
  if [ "$model" = gemma3-270m ]; then
    url=http://$1/v1/completions
    body='{"model": "gemma3-270m", "prompt": "The three largest cities of Europe are", "max_tokens": 48, "temperature": 0, "stream": true}'
  else
    url=http://$1/v1/chat/completions
    body='{"model": "qwen2.5-coder-1.5b", "messages": [{"role": "user", "content": "Write a haiku about compilers."}], "max_tokens": 64, "stream": true}'
  fi
  printf "\n  curl -N %s \\\\\n    -H 'Content-Type: application/json' \\\\\n    -d '%s'\n\n" "$url" "$body"
  curl --silent --show-error --no-buffer "$url" -H 'Content-Type: application/json' -d "$body" |
    python3 tools/print_event_stream.py || fail "the question was not answered; see $log"
}

console() {
  if [ "$model" = gemma3-270m ]; then
    echo "gemma3-270m is a base model without a chat template: no console. Try: $vernal run $config --raw -p 'Once upon a time'"
  elif [ ! -t 0 ]; then
    echo "Standard input is no terminal: no console. Try: $vernal chat $config"
  else
    step 6/6 "the console (vernal chat $config; /help lists its commands, /quit ends it)"
    "$vernal" chat "$config"
  fi
}

main() {
  read_arguments "$@"
  trap 'stop_server || true' EXIT
  mkdir -p build
  step 1/6 "packages"
  tools/install_packages.sh build
  step 2/6 "building vernal (Release, in build/release; the first time takes some minutes)"
  build
  step 3/6 "model $model"
  tools/fetch_model.py "$model"
  local address
  address=$(sed -n 's/^listen *= *"\([^"]*\)".*/\1/p' "$config")
  step 4/6 "starting the server"
  start_server "$address"
  step 5/6 "a first answer"
  ask "$address"
  stop_server || fail "the server did not end cleanly (status $?); see $log"
  printf '\nDone in %d s. Next: edit %s, read docs/deployment-file.md, or start the server yourself:\n  %s serve %s\n' \
    "$SECONDS" "$config" "$vernal" "$config"
  [ "$once" -eq 1 ] || console
}

main "$@"
