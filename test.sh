#!/usr/bin/env bash
# Builds vernal and runs its tests.
#
#   ./test.sh              everything a change must pass here: packages, Release build, all tests
#   ./test.sh --quick      unit tests only
#   ./test.sh --no-models  without the tests that need a real model (1.4 GB to fetch, once)
#   ./test.sh --ci         with sanitizers, fuzzing, formatting and static analysis; a skipped test is a failure
#
# It may be run again and again: only what changed is built. docs/testing.md explains the kinds of tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mode=all
models=wanted
readonly logs=build/logs
stages=()  # "minutes  name  result"
failed=()
launcher=()  # what ctest is run under

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --quick) mode=quick ;;
      --ci) mode=ci ;;
      --no-models) models=unwanted ;;
      -h | --help)
        usage
        exit 0
        ;;
      *)
        echo "test: expected --quick, --no-models or --ci, found \"$1\"" >&2
        exit 2
        ;;
    esac
    shift
  done
}

# stage NAME COMMAND...: runs the command with its output in a log file; notes the minutes and whether it failed.
stage() {
  local name=$1 log begin status=0 minutes
  shift
  log=$logs/${name// /-}.log
  printf '== %s\n' "$name"
  begin=$(date +%s%N)
  # Not in a condition: there, bash would ignore a failing command inside a function.
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  minutes=$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN {printf "%.1f", ns / 6e10}')
  if [ "$status" -eq 0 ]; then
    stages+=("$(printf '%6s min  %s' "$minutes" "$name")")
  else
    stages+=("$(printf '%6s min  %s: FAILED' "$minutes" "$name")")
    failed+=("$name")
    tail -n 60 "$log"
    printf '== %s failed; its last lines are above, all of them in %s\n' "$name" "$log"
  fi
  return "$status"
}

# build PRESET [TARGET...] [-D...]
build() {
  local preset=$1 definitions=() targets=()
  shift
  for argument in "$@"; do
    case "$argument" in
      -D*) definitions+=("$argument") ;;
      *) targets+=(--target "$argument") ;;
    esac
  done
  cmake --preset "$preset" -DVERNAL_BUILD_TESTS=ON "${definitions[@]}"
  cmake --build "build/$preset" --parallel "$(tools/build_jobs.sh)" "${targets[@]}"
}

# run_tests PRESET ARGUMENT...: the chosen tests; one must be there, and in CI none may be skipped.
run_tests() {
  local preset=$1
  shift
  "${launcher[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --no-label-summary --parallel "$(nproc)" \
    "$@" | tee "$logs/ctest-$preset.txt"
  if [ "$mode" = ci ] && grep -E '\*\*\*(Skipped|Not Run)|\((Skipped|Not Run|Disabled)\)' "$logs/ctest-$preset.txt"; then
    echo "test: the tests above were skipped; CI has all they need"
    return 1
  fi
}

static_checks() {
  tools/check_format.sh
  tools/check_layering.sh
  tools/check_docs_paths.py
  tools/make_golden.py --check
}

asan() {
  build asan tests-unit fuzzers
  UBSAN_OPTIONS=print_stacktrace=1 run_tests asan --label-regex '^unit$' --label-regex '^gtest$'
}

fuzz() { run_tests asan --label-regex '^fuzz$'; }

# The areas with threads of their own.
readonly threaded='engine openai_http observe cpu_avx2 stdin_repl'

tsan() {
  local targets=()
  for area in $threaded; do targets+=("tests-$area"); done
  build tsan "${targets[@]}"
  # Compiled by g++ 12, it cannot place its memory where kernels with more random address bits allow.
  if setarch --addr-no-randomize true 2>/dev/null; then launcher=(setarch --addr-no-randomize); fi
  run_tests tsan --label-regex "^(${threaded// /|})\$"
}

tidy() { tools/run_clang_tidy.py build/asan; }

fetch_models() {
  tools/fetch_model.py qwen2.5-coder-1.5b-instruct
  tools/fetch_model.py gemma3-270m
}

print_stages() {
  printf '\n'
  printf '%s\n' "${stages[@]}"
}

finish_if_failed() {
  [ "${#failed[@]}" -gt 0 ] || return 0
  print_stages
  printf 'test: failed: %s\n' "${failed[*]}" >&2
  exit 1
}

# The last run prints its results as they come, and its closing lines end the output.
all_tests() {
  local arguments=()
  if [ "$models" != wanted ]; then
    arguments+=(--label-exclude '^model$')
    echo "tests with real models are left out: $models"
  fi
  print_stages
  printf '\n'
  run_tests release "${arguments[@]}" </dev/null
}

main() {
  read_arguments "$@"
  mkdir -p "$logs"
  # A compiler cache that also serves clones in other folders.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  local sets='build test'
  [ "$mode" != ci ] || sets+=' ci'
  # shellcheck disable=SC2086 # one argument each
  stage 'packages' tools/install_packages.sh $sets || finish_if_failed
  if [ "$mode" = quick ]; then
    stage 'build unit tests' build release tests-unit || finish_if_failed
    run_tests release --label-regex '^unit$' </dev/null
    return
  fi
  if [ "$mode" = ci ]; then
    stage 'static checks' static_checks || true
    stage 'release build' build release -DVERNAL_BUILD_BENCHMARKS=ON || finish_if_failed
    stage 'asan and ubsan' asan || true
    stage 'fuzzing' fuzz || true
    stage 'tsan' tsan || true
    stage 'clang-tidy' tidy || true
  else
    stage 'release build' build release || finish_if_failed
  fi
  if [ "$models" = wanted ] && ! stage 'models' fetch_models; then
    [ "$mode" = ci ] && finish_if_failed
    models="they could not be fetched, see $logs/models.log"
    failed=()
  fi
  [ "$mode" != ci ] || finish_if_failed
  all_tests
}

main "$@"
