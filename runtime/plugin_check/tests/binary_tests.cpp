// Group binary: what the linker made of the plugin.
#include <fmt/ranges.h>

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <array>

#include "plugin_check/finding.hpp"
#include "plugin_check/subject/elf_file.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/subject/raw_entry.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

/// Libraries that every machine has; others an operator must install.
constexpr std::array<std::string_view, 12> kBaseLibraries{
    "libc.so.",   "libm.so.",      "libpthread.so.", "libdl.so.",
    "librt.so.",  "ld-linux",      "libstdc++.so.",  "libgcc_s.so.",
    "libc++.so.", "libc++abi.so.", "libunwind.so.",  "libatomic.so."};

void test_exports(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(elf.exports.size() == 1 && elf.exports[0] == VERNAL_ENTRY_SYMBOL,
         "exported symbols: expected {} alone, found {}: {}", VERNAL_ENTRY_SYMBOL,
         elf.exports.size(), fmt::join(elf.exports, ", "));
}

void test_unique(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(elf.unique_symbols.empty(),
         "symbols that all libraries of a process share: expected none, found {}; build with "
         "-fno-gnu-unique",
         fmt::join(elf.unique_symbols, ", "));
}

void test_bound(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(elf.has_bind_now, "expected BIND_NOW, found lazy binding; link with -z now");
  expect(elf.has_relro, "expected a read-only relocation segment, found none; link with -z relro");
}

void test_text_relocations(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(!elf.has_text_relocations,
         "expected position-independent code, found relocations in code (TEXTREL)");
}

void test_stack(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(!elf.has_executable_stack,
         "expected a stack without execution, found one with; link with -z noexecstack");
}

void test_run_path(const Options& options) {
  const ElfFile elf = read_elf(options.plugin);
  expect(elf.run_path.empty() || elf.run_path == "$ORIGIN",
         "run path: expected $ORIGIN or none, found \"{}\"", elf.run_path);
}

void test_libraries(const Options& options) {
  for (const std::string& library : read_elf(options.plugin).needed) {
    expect(library.find('/') == library.npos, "needed library with a path: \"{}\"", library);
    expect(!library.starts_with("libvernal"), "\"{}\": a plugin links nothing of the runtime",
           library);
    const bool is_base = std::ranges::any_of(
        kBaseLibraries, [&](std::string_view base) { return library.starts_with(base); });
    if (!is_base) note("needs " + library + " on the operator's machine");
  }
}

void test_loads(const Options& options) {
  const std::string settings = process_settings();
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  open_entry(options);
  expect(::dlsym(RTLD_DEFAULT, VERNAL_ENTRY_SYMBOL) == nullptr,
         "its symbols are visible to the whole process (DF_1_GLOBAL)");
  expect(count_threads() == threads, "opening the library started {} threads",
         count_threads() - threads);
  expect(count_descriptors() == descriptors, "opening the library left {} descriptors open",
         count_descriptors() - descriptors);
  expect(process_settings() == settings, "opening the library changed settings of the process");
}

constexpr Test kTests[] = {
    {"binary.exports", "the dynamic symbol table defines the entry and nothing else", test_exports},
    {"binary.unique", "no symbol is shared between all libraries of the process", test_unique},
    {"binary.bound", "every symbol is bound when it is opened, then the tables are read-only",
     test_bound},
    {"binary.text_relocations", "no relocation changes code", test_text_relocations},
    {"binary.stack", "the stack is not executable", test_stack},
    {"binary.run_path", "libraries are looked for beside it or in the system's folders",
     test_run_path},
    {"binary.libraries", "needs no library of the runtime, and none by path", test_libraries},
    {"binary.loads", "opens with RTLD_NOW and RTLD_LOCAL, and nothing else happens", test_loads},
};

}  // namespace

std::span<const Test> binary_tests() { return kTests; }

}  // namespace vernal::check
