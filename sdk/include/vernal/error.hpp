// vernal::Error: C++ code on either side of the interface throws it when an operation fails.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "vernal/abi/status.h"

namespace vernal {

/// The name of a status code as it appears in messages: "INVALID_ARGUMENT".
inline std::string_view status_name(std::int32_t code) noexcept {
  switch (code) {
    case VERNAL_OK:
      return "OK";
    case VERNAL_CANCELLED:
      return "CANCELLED";
    case VERNAL_INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case VERNAL_NOT_FOUND:
      return "NOT_FOUND";
    case VERNAL_UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case VERNAL_UNSUPPORTED:
      return "UNSUPPORTED";
    case VERNAL_RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case VERNAL_QUEUE_FULL:
      return "QUEUE_FULL";
    case VERNAL_CONTEXT_OVERFLOW:
      return "CONTEXT_OVERFLOW";
    case VERNAL_CLIENT_STALLED:
      return "CLIENT_STALLED";
    case VERNAL_NOT_RESTORABLE:
      return "NOT_RESTORABLE";
    case VERNAL_INCOMPATIBLE:
      return "INCOMPATIBLE";
    case VERNAL_UNAVAILABLE:
      return "UNAVAILABLE";
    case VERNAL_DEADLINE:
      return "DEADLINE";
    case VERNAL_DEVICE_LOST:
      return "DEVICE_LOST";
    case VERNAL_INTERNAL:
      return "INTERNAL";
    default:
      return "UNKNOWN";
  }
}

/// An operation failed. The message names the object, what was expected and what was found, and a
/// remedy if there is one. It is never thrown across the interface: guard() in host.hpp sees to it.
class Error : public std::runtime_error {
 public:
  Error(std::int32_t code, const std::string& message) : std::runtime_error(message), code_(code) {}

  std::int32_t code() const noexcept { return code_; }

 private:
  std::int32_t code_;
};

/// A view of a string of the interface. It borrows the text.
inline std::string_view view(vernal_str text) noexcept {
  return text.size == 0 ? std::string_view{} : std::string_view{text.data, text.size};
}

/// A string of the interface. It borrows `text`.
inline vernal_str to_str(std::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace vernal
