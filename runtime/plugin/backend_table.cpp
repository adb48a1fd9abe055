#include "plugin/backend_table.hpp"

#include <fmt/format.h>

#include "vernal/host.hpp"

namespace vernal::plugin {

void BackendTable::check(std::int32_t status, std::string_view what) const {
  if (status == VERNAL_OK) return;
  throw Error(status, fmt::format("{}: {}: {}", name, what, plugin_host().take_error(status)));
}

void BackendTable::refuse_null(std::string_view what) const {
  throw Error(VERNAL_INTERNAL, fmt::format("{}: {}: expected a handle, found null", name, what));
}

}  // namespace vernal::plugin
