#!/usr/bin/env bash
# keep_kernel_report.sh COMPILER...: runs a command of nvcc and keeps what its assembler says of the kernels (-Xptxas=-v)
# in OBJECT.kernels.txt. Everything else that the compiler says passes through.
set -euo pipefail

object=
previous=
for argument in "$@"; do
  [ "$previous" != -o ] || object=$argument
  previous=$argument
done
[ -n "$object" ] || exec "$@"

said=$(mktemp)
trap 'rm -f "$said"' EXIT
status=0
LC_ALL=C "$@" 2>"$said" || status=$?
readonly report='^ptxas (info|warning) |^    [0-9]+ bytes stack frame'
grep -E "$report" "$said" >"$object.kernels.txt" || true
grep -vE "$report" "$said" >&2 || true
exit "$status"
