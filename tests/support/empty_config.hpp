// A configuration view without keys, for plugins that tests open.
#pragma once

#include "vernal/abi/config.h"
#include "vernal/tables.hpp"

namespace vernal::testing {

/// A view in which every get answers NOT_FOUND. Static storage.
inline vernal_config_view empty_config() {
  static constexpr vernal_config_api kApi = {
      .struct_size = sizeof(vernal_config_api),
      .get_bool = [](const vernal_config*, vernal_str, std::uint32_t*) { return VERNAL_NOT_FOUND; },
      .get_int = [](const vernal_config*, vernal_str, std::int64_t*) { return VERNAL_NOT_FOUND; },
      .get_float = [](const vernal_config*, vernal_str, double*) { return VERNAL_NOT_FOUND; },
      .get_string = [](const vernal_config*, vernal_str, vernal_str*) { return VERNAL_NOT_FOUND; },
      .get_size = [](const vernal_config*, vernal_str, std::uint64_t*) { return VERNAL_NOT_FOUND; },
      .get_duration = [](const vernal_config*, vernal_str,
                         std::uint64_t*) { return VERNAL_NOT_FOUND; },
      .list_size = [](const vernal_config*, vernal_str,
                      std::uint64_t*) { return VERNAL_NOT_FOUND; },
      .list_string = [](const vernal_config*, vernal_str, std::uint64_t,
                        vernal_str*) { return VERNAL_NOT_FOUND; },
      .list_int = [](const vernal_config*, vernal_str, std::uint64_t,
                     std::int64_t*) { return VERNAL_NOT_FOUND; },
      .name = [](const vernal_config*, vernal_str*) { return VERNAL_NOT_FOUND; },
      .origin = [](const vernal_config*, vernal_str, vernal_str*) { return VERNAL_NOT_FOUND; },
  };
  return {&kApi, nullptr};
}

}  // namespace vernal::testing
