# Shell functions of the tests that run the small model file $model on plugins of some folder. They expect $model, and
# set $server while a server runs, for the trap of the script to end.
# shellcheck shell=bash
# shellcheck disable=SC2154

prompt="The sky is"
server=

# write_deployment FILE PLUGIN_FOLDER [FRONTEND MAX_TOKENS]: on the backend "reference" of the folder. FRONTEND asks the
# prompt and writes the answer to answer.txt beside the file.
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
  [ $# -gt 2 ] || return 0
  cat >> "$1" << FRONTEND
[frontends.ask]
plugin = "$3"
model = "tiny"
prompt = "$prompt"
file = "answer.txt"
max_tokens = $4
FRONTEND
}

# answer_of VERNAL FILE NUM_TOKENS: what `vernal run` prints.
answer_of() { "$1" run "$2" --raw -t 0 -n "$3" -p "$prompt"; }

# expect_served VERNAL FILE EXPECTED: serves the deployment until its frontend has written the answer, and ends the server.
expect_served() {
  local vernal=$1 file=$2 expected=$3 answer log=$2.log served
  answer=$(dirname "$file")/answer.txt
  "$vernal" serve "$file" 2> "$log" &
  server=$!
  for _ in $(seq 600); do
    [ "$(cat "$answer" 2> /dev/null)" = "$expected" ] && break
    kill -0 "$server" 2> /dev/null || break
    sleep 0.1
  done
  kill -TERM "$server" 2> /dev/null || true
  wait "$server" || {
    server=
    echo "$file: vernal serve did not end well"
    cat "$log"
    exit 1
  }
  server=
  served=$(cat "$answer" 2> /dev/null) || true
  if [ "$served" != "$expected" ]; then
    echo "$file: the frontend wrote \"$served\", expected \"$expected\""
    cat "$log"
    exit 1
  fi
}
