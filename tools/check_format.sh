#!/usr/bin/env bash
# Checks, or with --fix mends, the format of all C and C++ files (.clang-format, clang-format-16).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  '') action=(--dry-run --Werror) ;;
  --fix) action=(-i) ;;
  *)
    echo "check_format: expected nothing or --fix, found \"$1\"" >&2
    exit 2
    ;;
esac
command -v clang-format-16 >/dev/null || {
  echo "check_format: clang-format-16 is missing; tools/install_packages.sh ci installs it" >&2
  exit 1
}
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cpp' '*.hpp' '*.cu' '*.cuh')
printf '%s\0' "${files[@]}" | xargs -0 -n 32 -P "$(nproc)" clang-format-16 "${action[@]}"
echo "format: ${#files[@]} files as .clang-format says"
