#!/usr/bin/env bash
# Builds vernal and runs its tests.
#
#   ./test.sh              everything a change must pass here: packages, Release build, all tests
#   ./test.sh --quick      unit tests only
#   ./test.sh --no-models  without the tests that need a real model (1.4 GB to fetch, once)
#   ./test.sh --ci         with formatting, layering, sanitizers, fuzzing and clang-tidy; a skipped test is a failure.
#                          Sanitizers and fuzzing are left out where nothing has changed since they passed here
#   ./test.sh --ci-anew    the same, leaving nothing out
#
# It may be run again and again: only what changed is built. docs/testing.md explains the kinds of tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

mode=all
models=wanted
anew=no
readonly logs=build/logs
stages=()  # "minutes  name  result"
failed=()
launcher=()  # what ctest is run under

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0"; }

read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --quick) mode=quick ;;
      --ci) mode=ci ;;
      --ci-anew)
        mode=ci
        anew=yes
        ;;
      --no-models) models='--no-models was said' ;;
      -h | --help)
        usage
        exit 0
        ;;
      *)
        echo "test: expected --quick, --no-models, --ci or --ci-anew, found \"$1\"" >&2
        exit 2
        ;;
    esac
    shift
  done
}

# stage NAME COMMAND...: runs the command with its output in a log file; notes the minutes and whether it failed.
# Never call it in a condition: bash would then go on after a failing command inside the stage.
stage() {
  local name=$1 log begin status minutes note=''
  shift
  log=$logs/${name// /-}.log
  rm -f "$logs/unchanged"
  printf '== %s\n' "$name"
  begin=$(date +%s%N)
  set +e
  (
    set -e
    "$@"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  minutes=$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN {printf "%.1f", ns / 6e10}')
  [ ! -e "$logs/unchanged" ] || note=': not run again, nothing has changed since it passed'
  if [ "$status" -eq 0 ]; then
    stages+=("$(printf '%6s min  %s%s' "$minutes" "$name" "$note")")
  else
    stages+=("$(printf '%6s min  %s: FAILED' "$minutes" "$name")")
    failed+=("$name")
    tail -n 60 "$log"
    printf '== %s failed; its last lines are above, all of them in %s\n' "$name" "$log"
  fi
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

# Of this tree and of the programs and libraries that a preset has made of it. All of the tree: tests read documents, shipped
# deployments and tools as well as their own files.
digest_of_tests() {
  {
    git ls-files --cached --others --exclude-standard -z
    find "build/$1/bin" "build/$1/lib" "build/$1/golden" -type f -print0
  } | sort -z | xargs -0 b2sum | b2sum
}

# run_tests_once PRESET LABELS: run_tests with tests of these labels, unless they have passed in this folder and nothing has
# changed since. Says so in the table of stages.
run_tests_once() {
  local preset=$1 labels=$2 passed digest
  passed=build/$preset/passed-${labels//[^a-z0-9_]/-}
  digest=$(digest_of_tests "$preset")
  if [ "$anew" = no ] && [ "$(cat "$passed" 2>/dev/null)" = "$digest" ]; then
    echo "nothing has changed since these tests passed; --ci-anew runs them again"
    touch "$logs/unchanged"
    return
  fi
  run_tests "$preset" --label-regex "$labels"
  echo "$digest" >"$passed"
}

asan() {
  build asan tests-unit tests-emulated fuzzers
  UBSAN_OPTIONS=print_stacktrace=1 run_tests_once asan '^(unit|emulated)$'
}

# A minute for each target.
fuzz() { run_tests_once asan '^fuzz$'; }

# The areas with threads of their own.
readonly threaded='engine openai_http observe cpu_avx2 stdin_repl'

tsan() {
  local targets=()
  for area in $threaded; do targets+=("tests-$area"); done
  build tsan "${targets[@]}"
  # Compiled by g++ 12, it cannot place its memory where kernels with more random address bits allow.
  if setarch --addr-no-randomize true 2>/dev/null; then launcher=(setarch --addr-no-randomize); fi
  run_tests_once tsan "^(${threaded// /|})\$"
}

tidy() { tools/run_clang_tidy.py build/asan; }

fetch_models() {
  tools/fetch_model.py qwen2.5-coder-1.5b-instruct
  tools/fetch_model.py gemma3-270m
}

print_stages() {
  printf '\n'
  printf '%s\n' "${stages[@]}"
  printf '%6s min  in all\n\n' "$(awk -v s="$SECONDS" 'BEGIN {printf "%.1f", s / 60}')"
}

# Copies the output of ctest and puts the minutes of all stages before its closing lines, which stay last.
report_before_summary() {
  local begin=$SECONDS line
  while IFS= read -r line; do
    if [[ $line =~ ^[0-9]+%\ tests\ passed ]]; then
      stages+=("$(awk -v s=$((SECONDS - begin)) 'BEGIN {printf "%6.1f min  tests", s / 60}')")
      print_stages
    fi
    printf '%s\n' "$line"
  done
}

finish_if_failed() {
  [ "${#failed[@]}" -gt 0 ] || return 0
  print_stages
  printf 'test: failed: %s\n' "${failed[*]}" >&2
  exit 1
}

# The last run prints its results as they come; minutes per stage and ctest's closing lines end the output.
all_tests() {
  local arguments=()
  if [ "$models" != wanted ]; then
    arguments+=(--label-exclude '^model$')
    echo "the tests with real models are left out: $models"
  fi
  run_tests release "${arguments[@]}" </dev/null | report_before_summary
}

# What continuous integration checks beside the tests; all of it, even if one part fails.
ci_stages() {
  stage 'static checks' static_checks
  stage 'release build' build release -DVERNAL_BUILD_BENCHMARKS=ON
  stage 'asan and ubsan' asan
  stage 'fuzzing' fuzz
  stage 'tsan' tsan
  stage 'clang-tidy' tidy
  stage 'models' fetch_models
  finish_if_failed
}

# A user without the models still gets all other tests.
fetch_models_if_possible() {
  [ "$models" = wanted ] || return 0
  stage 'models' fetch_models
  if [ "${#failed[@]}" -gt 0 ]; then
    models="they could not be fetched, see $logs/models.log"
    failed=()
  fi
}

main() {
  read_arguments "$@"
  mkdir -p "$logs"
  # A compiler cache that also serves clones in other folders.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  local sets='build test'
  [ "$mode" != ci ] || sets+=' ci'
  # shellcheck disable=SC2086 # one argument each
  stage 'packages' tools/install_packages.sh $sets
  finish_if_failed
  case "$mode" in
    quick)
      stage 'build unit tests' build release tests-unit
      finish_if_failed
      run_tests release --label-regex '^unit$' --label-regex '^gtest$' </dev/null
      ;;
    ci)
      # What NVRTC made of the kernels before.
      [ "$anew" = no ] || rm -rf build/release/tests/cuda/nvrtc/compiled
      export VERNAL_TESTS_MISS_NOTHING=1  # a test that has several compilers to try needs all of them
      ci_stages
      all_tests
      ;;
    all)
      stage 'release build' build release
      finish_if_failed
      fetch_models_if_possible
      all_tests
      ;;
  esac
}

main "$@"
