// The border of the tables that the core itself offers: exceptions become status codes.
#pragma once

#include <cstdint>
#include <new>

#include "vernal/error.hpp"

namespace vernal {

/// Runs `body`, which returns a status or throws; gives the status. The text of an error is
/// dropped: what needs it keeps it (the builder's problems) or says it again with the key (the
/// plugin's reader).
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
