#!/usr/bin/env bash
# third_party_backend_test.sh CMAKE BUILD_FOLDER MODEL: what somebody can do who has vernal as it is once installed, and
# nothing else of it: builds a backend with another compiler and another C++ library, in another folder, and has the
# installed program answer with it on a real model. The answer must be that of the backend that ships.
set -euo pipefail

cmake=$1
build=$2
model=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/abi/installed_sdk.sh
. "$here/installed_sdk.sh"

# skip REASON
skip() {
  echo "skipped: $1"
  exit 77
}

compiler=clang++-16
flags=-stdlib=libc++
[ -e "$model" ] || skip "fetch it with tools/fetch_model.py gemma3-270m: $model"
toolchain_works "$compiler" "$flags" || skip "$compiler $flags builds no program"
grep -q avx2 /proc/cpuinfo || skip "the answer is compared with that of cpu_avx2; this processor has no AVX2"

install_vernal
build_example backend "$work" Release "$compiler" "$flags"
libraries=$(ldd "$work/plugins/reference.so")
if ! grep -q 'libc++\.so' <<< "$libraries" || grep -q 'libstdc++' <<< "$libraries"; then
  echo "reference.so: expected libc++ and no libstdc++, found"
  echo "$libraries"
  exit 1
fi

# answer PLUGIN: what the model says next. The reference backend is scalar, so the model is small, and prompt and answer are
# short. No token of the answer has a rival.
answer() {
  cat > "$work/$1.toml" << DEPLOYMENT
schema = 1
[runtime]
plugin_paths = ["plugins"]
[backends.cpu]
plugin = "$1"
[models.real]
path = "$model"
backend = "cpu"
context_length = 256
slots = 1
step_timeout = "600s"
DEPLOYMENT
  "$prefix/bin/vernal" run "$work/$1.toml" --raw -t 0 -n 8 -p "One, two, three,"
}

begin=$SECONDS
found=$(answer reference)
seconds=$((SECONDS - begin))
expected=$(answer cpu_avx2)
echo "reference, built by $compiler $flags: \"$found\" after $seconds s; cpu_avx2: \"$expected\""
if [ -z "$found" ] || [ "$found" != "$expected" ]; then
  echo "expected the same answer of both"
  exit 1
fi
