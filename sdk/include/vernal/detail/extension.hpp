// How the function tables of the comfort headers answer get_extension.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "vernal/abi/status.h"
#include "vernal/host.hpp"

namespace vernal {

/// Finds the table of an extension by its id, "com.example.NAME/1". Null if there is none. A table
/// has static storage and, like every table, begins with its size. Any thread.
using ExtensionFinder = const void* (*)(std::string_view id);

namespace detail {

/// A class of a kind that offers extensions: `static const void* extension(std::string_view id)`.
template <class T>
concept OffersExtensions = requires(std::string_view id) {
  { T::extension(id) } -> std::convertible_to<const void*>;
};

inline std::int32_t answer_extension(ExtensionFinder find, vernal_str id,
                                     const void** out) noexcept {
  *out = nullptr;
  if (find == nullptr) return VERNAL_NOT_FOUND;
  const std::int32_t status = guard([&] { *out = find(view(id)); });
  if (status != VERNAL_OK) return status;
  return *out != nullptr ? VERNAL_OK : VERNAL_NOT_FOUND;
}

/// The function get_extension in the table of class T.
template <class T>
std::int32_t extension_of(vernal_str id, const void** out) noexcept {
  if constexpr (OffersExtensions<T>) {
    return answer_extension([](std::string_view name) -> const void* { return T::extension(name); },
                            id, out);
  } else {
    return answer_extension(nullptr, id, out);
  }
}

}  // namespace detail
}  // namespace vernal
