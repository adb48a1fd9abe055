#include <string>

#include "plugin/manifest.hpp"
#include "plugin_check/test.hpp"
#include "vernal/error.hpp"

namespace vernal::check {
namespace {

/// Remarks of the one test this process runs.
std::string& remarks() {
  static std::string text;
  return text;
}

}  // namespace

std::vector<Test> all_tests() {
  std::vector<Test> tests;
  for (const std::span<const Test> group :
       {manifest_tests(), binary_tests(), negotiation_tests(), negotiation_struct_tests(),
        lifecycle_tests(), errors_tests(), errors_id_tests(), errors_argument_tests(),
        operations_tests(), state_tests(), state_position_tests(), state_copy_tests(),
        state_window_tests(), state_room_tests(), step_tests(), model_tests(), architecture_tests(),
        frontend_tests()}) {
    tests.insert(tests.end(), group.begin(), group.end());
  }
  return tests;
}

std::uint32_t kinds_of(const std::filesystem::path& plugin) {
  try {
    const plugin::Manifest manifest = plugin::read_manifest(plugin);
    std::uint32_t kinds = 0;
    for (const std::uint32_t kind :
         {VERNAL_KIND_BACKEND, VERNAL_KIND_ARCHITECTURE, VERNAL_KIND_FRONTEND}) {
      if (manifest.has_kind(kind)) kinds |= 1U << kind;
    }
    return kinds;
  } catch (const Error&) {
    return kEveryKind;
  }
}

void note(const std::string& text) {
  if (!remarks().empty()) remarks() += '\n';
  remarks() += text;
}

std::string notes() { return remarks(); }

}  // namespace vernal::check
