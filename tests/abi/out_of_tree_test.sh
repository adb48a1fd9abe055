#!/usr/bin/env bash
# out_of_tree_test.sh CMAKE BUILD_FOLDER MODEL: installs the build into an empty prefix, copies the SDK's examples
# elsewhere, builds them against the installed SDK alone with every C++ toolchain at hand, and lets the installed program
# list them, open them and run MODEL on them, and the installed vernal-plugin-check judge them. All toolchains must give
# the same text, on the console and in the file of the example frontend.
set -euo pipefail

cmake=$1
build=$2
model=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=  # while it runs
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
# shellcheck source=tests/abi/installed_sdk.sh
. "$here/installed_sdk.sh"
# shellcheck source=tests/abi/tiny_deployment.sh
. "$here/tiny_deployment.sh"
install_vernal

# check_with LABEL COMPILER FLAGS: builds the three examples and has them listed and opened.
check_with() {
  local label=$1 compiler=$2 flags=$3 folder=$work/$1
  for example in backend architecture frontend; do
    build_example "$example" "$folder" Debug "$compiler" "$flags"
  done
  bash "$here/plugin_exports_test.sh" "$folder/plugins"

  local listing
  listing=$("$prefix/bin/vernal" plugins "$folder/plugins")
  for name in reference toy one_prompt; do
    grep -q "^$name " <<< "$listing" || {
      echo "$label: $name is not listed:"
      echo "$listing"
      exit 1
    }
    "$prefix/bin/vernal" plugins "$folder/plugins" --schema "$name" > /dev/null
  done
  if grep -q refused <<< "$listing"; then
    echo "$listing"
    exit 1
  fi
  judge_with "$label" "$folder"
  answer_with "$label" "$folder"
  echo "$label: reference, toy and one_prompt were built, listed, opened, checked and used"
}

# judge_with LABEL FOLDER: the installed vernal-plugin-check finds nothing in the three plugins of FOLDER/plugins.
judge_with() {
  local label=$1 folder=$2 name
  for name in reference toy one_prompt; do
    local arguments=()
    case $name in
      reference) arguments=(--level 2) ;;
      one_prompt) arguments=(--set model=mock --set prompt=Hello --set file=/dev/null) ;;
    esac
    "$prefix/bin/vernal-plugin-check" "$folder/plugins/$name.so" "${arguments[@]}" > "$folder/check.log" || {
      echo "$label: vernal-plugin-check finds something in $name:"
      cat "$folder/check.log"
      exit 1
    }
  done
}

# answer_with LABEL FOLDER: runs the model on the backend of FOLDER/plugins, once as a command and once served by the
# frontend there.
expected=
answer_with() {
  local label=$1 folder=$2 answer
  write_deployment "$folder/deployment.toml" plugins one_prompt 12
  answer=$(answer_of "$prefix/bin/vernal" "$folder/deployment.toml" 12)
  expected=${expected:-$answer}
  if [ -z "$answer" ] || [ "$answer" != "$expected" ]; then
    echo "$label: vernal run answers \"$answer\", expected \"$expected\""
    exit 1
  fi
  expect_served "$prefix/bin/vernal" "$folder/deployment.toml" "$expected"
}

checked=0
while IFS='|' read -r label compiler flags; do
  if toolchain_works "$compiler" "$flags"; then
    check_with "$label" "$compiler" "$flags"
    checked=$((checked + 1))
  else
    missing "$label: not installed"
  fi
done << 'TOOLCHAINS'
gcc|g++-12|
gcc-static-library|g++-12|-static-libstdc++ -static-libgcc
clang|clang++-16|
clang-libcxx|clang++-16|-stdlib=libc++
TOOLCHAINS

[ "$checked" -gt 0 ] || {
  echo "no toolchain was found"
  exit 77
}
