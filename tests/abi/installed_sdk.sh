# Shell functions of the tests that use vernal as it is once installed. They expect $cmake, $build and $work, an empty
# folder of their own, and set $prefix, where it is installed to.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154

prefix=$work/prefix
export LC_ALL=C # messages of other programs are compared

# What these tests compile is the same each time, in a folder with another name. A compiler cache knows it again by its
# place below that folder.
if command -v ccache > /dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
fi

# install_vernal: into the empty prefix; nothing installed may name the build folder, and the documents for operators and
# plugin authors are all there, with those that they link to.
install_vernal() {
  "$cmake" --install "$build" --prefix "$prefix" > "$work/install.log" || {
    cat "$work/install.log"
    exit 1
  }
  if grep -rnl -e "$build" "$prefix/include" "$prefix"/lib*/cmake; then
    echo "the files above name the build folder"
    exit 1
  fi
  local docs=$prefix/share/vernal/docs name
  for name in deployment-file make-model plugin-guide plugin-guide-mistakes; do
    [ -s "$docs/$name.md" ] || {
      echo "expected $docs/$name.md, found nothing"
      exit 1
    }
  done
  grep -ohE "\]\([a-z-]+\.md" "$docs"/*.md | cut -c 3- | sort -u | while read -r name; do
    [ -s "$docs/$name" ] || {
      echo "installed documents link to $name, which is not installed"
      exit 1
    }
  done
}

# missing TEXT: something to test with is not there. Where everything has to be, that is a failure.
missing() {
  echo "$1"
  [ -z "${VERNAL_TESTS_MISS_NOTHING:-}" ] || exit 1
}

# toolchain_works COMPILER FLAGS: whether a C++20 program can be built.
toolchain_works() {
  command -v "$1" > /dev/null || return 1
  echo '#include <string>
int main() { return static_cast<int>(std::string().size()); }' > "$work/probe.cpp"
  # shellcheck disable=SC2086  # flags are words
  "$1" $2 -std=c++20 "$work/probe.cpp" -o "$work/probe" 2> /dev/null && "$work/probe"
}

# build_example NAME FOLDER TYPE COMPILER FLAGS: builds an example of the installed SDK, copied away from it, with the
# installed SDK alone; its library goes to FOLDER/plugins.
build_example() {
  local name=$1 folder=$2 type=$3 compiler=$4 flags=$5
  mkdir -p "$folder/plugins" "$folder/source"
  cp -r "$prefix/share/vernal/sdk/examples/$name" "$folder/source/"
  "$cmake" -S "$folder/source/$name" -B "$folder/build-$name" -G Ninja \
    -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$type" \
    -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DCMAKE_CXX_FLAGS="$flags -Wall -Wextra -Wpedantic -Wconversion -Werror" > "$folder/log" 2>&1 &&
    "$cmake" --build "$folder/build-$name" >> "$folder/log" 2>&1 || {
    echo "$name does not build with $compiler $flags"
    cat "$folder/log"
    exit 1
  }
  cp "$folder/build-$name"/*.so "$folder/plugins/"
}
