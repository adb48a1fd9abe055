// Turns exceptions into status codes, for the tables that the core itself offers.
#pragma once

#include <cstdint>
#include <new>

#include "vernal/error.hpp"

namespace vernal {

/// Runs `body`, which returns a status or throws, and returns the status. The text of an error is
/// dropped: the builder keeps its problems itself, and a plugin's reader of metadata words its own
/// message, with the key.
template <class Body>
std::int32_t status_guard(Body&& body) noexcept {
  try {
    return body();
  } catch (const Error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    return VERNAL_RESOURCE_EXHAUSTED;
  } catch (...) {
    return VERNAL_INTERNAL;
  }
}

}  // namespace vernal
