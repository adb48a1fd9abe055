// Group manifest: what the file says of itself, and whether its tables agree.
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "plugin/cpu_level.hpp"
#include "plugin/manifest.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "plugin_check/subject/raw_entry.hpp"
#include "plugin_check/test.hpp"
#include "vernal/tables.hpp"

namespace vernal::check {
namespace {

plugin::Manifest manifest_of(const Options& options) {
  return plugin::read_manifest(options.plugin);
}

void test_note(const Options& options) { manifest_of(options); }

void test_version(const Options& options) {
  const plugin::Manifest m = manifest_of(options);
  expect(m.abi_major == VERNAL_ABI_MAJOR, "abi_major: expected {}, found {}", VERNAL_ABI_MAJOR,
         m.abi_major);
  expect(m.abi_minor_min <= VERNAL_ABI_MINOR,
         "abi_minor_min: expected at most {}, the host's, found {}; build with TARGET_MINOR {}",
         VERNAL_ABI_MINOR, m.abi_minor_min, VERNAL_ABI_MINOR);
  expect(m.abi_minor_min <= m.abi_minor_built,
         "abi_minor_min: expected at most abi_minor_built = {}, found {}", m.abi_minor_built,
         m.abi_minor_min);
}

bool is_version(std::string_view text) {
  const auto is_allowed = [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) || c == '.';
  };
  return std::ranges::count(text, '.') == 2 && std::ranges::all_of(text, is_allowed) &&
         text.find("..") == text.npos && !text.starts_with('.') && !text.ends_with('.');
}

void test_identity(const Options& options) {
  const plugin::Manifest m = manifest_of(options);
  expect(options.plugin.filename() == m.name + ".so", "file name: expected {}.so, found {}", m.name,
         options.plugin.filename().string());
  expect(m.id.find('.') != m.id.npos && !m.id.starts_with('.') && !m.id.ends_with('.'),
         "id: expected a reverse domain name, found \"{}\"", m.id);
  expect(is_version(m.version), "version: expected x.y.z, found \"{}\"", m.version);
}

void test_needs(const Options& options) {
  const plugin::Manifest m = manifest_of(options);
  expect(plugin::machine_has(m.isa), "isa: \"{}\" is not known, or this machine does not have it",
         m.isa);
  const bool is_architecture = m.has_kind(VERNAL_KIND_ARCHITECTURE);
  expect(!is_architecture || !m.provides.empty(),
         "provides: expected the values of general.architecture it builds, found none");
}

/// Checks size and functions of one table as the plugin made it.
template <class Table>
void check_table(const void* raw, const char* name) {
  expect(raw != nullptr, "{}: expected a table, found null", name);
  const auto* table = static_cast<const Table*>(raw);
  const std::uint64_t size = table->struct_size;
  expect(size >= kFloorSize<Table>,
         "{}: struct_size expected at least {}, interface 1.0's, found {}", name, kFloorSize<Table>,
         size);
  expect(size % 8 == 0, "{}: struct_size expected a multiple of 8, found {}", name, size);
  expect(size <= 1U << 16, "{}: struct_size {} is not a size", name, size);
  for (std::uint64_t offset = 8; offset < kFloorSize<Table>; offset += 8) {
    void* function = nullptr;
    std::memcpy(&function, static_cast<const char*>(raw) + offset, sizeof(function));
    expect(function != nullptr, "{}: function at offset {} expected, found null", name, offset);
  }
}

void test_tables(const Options& options) {
  const vernal_plugin_api* api = raw_plugin_table(options);
  check_table<vernal_plugin_api>(api, "vernal_plugin_api");
  const plugin::Manifest m = manifest_of(options);
  for (const std::uint32_t kind :
       {VERNAL_KIND_BACKEND, VERNAL_KIND_ARCHITECTURE, VERNAL_KIND_FRONTEND}) {
    const void* table = nullptr;
    const std::int32_t status = call("get_kind", [&] { return api->get_kind(kind, &table); });
    const std::int32_t expected = m.has_kind(kind) ? VERNAL_OK : VERNAL_NOT_FOUND;
    expect(status == expected, "get_kind({}): the manifest says {}, so expected {}, found {}",
           plugin::kind_name(kind), fmt::join(m.kinds, ","), status_name(expected),
           status_name(status));
    if (status != VERNAL_OK) continue;
    if (kind == VERNAL_KIND_BACKEND) check_table<vernal_backend_api>(table, "vernal_backend_api");
    if (kind == VERNAL_KIND_ARCHITECTURE) {
      check_table<vernal_architecture_api>(table, "vernal_architecture_api");
    }
    if (kind == VERNAL_KIND_FRONTEND)
      check_table<vernal_frontend_api>(table, "vernal_frontend_api");
  }
}

constexpr Test kTests[] = {
    {"manifest.note", "an ELF note of owner \"vernal\" with every key of the manifest", test_note},
    {"manifest.version", "built for this major; the least minor it needs is not above the host's",
     test_version},
    {"manifest.identity", "NAME.so for name = NAME; a reverse domain name; a version x.y.z",
     test_identity},
    {"manifest.needs", "instructions that this machine has; architectures say what they build",
     test_needs},
    {"manifest.tables",
     "a table for each kind it names and no other; sizes of 1.0 or later; no null function",
     test_tables},
};

}  // namespace

std::span<const Test> manifest_tests() { return kTests; }

}  // namespace vernal::check
