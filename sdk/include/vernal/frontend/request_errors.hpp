// The errors a request may end with: one table, used by the core, which reports them, and by
// frontends, which answer them. sdk/spec/request.md says when each one happens.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "vernal/abi/status.h"

namespace vernal {

/// One kind of error of a request.
struct RequestErrorKind {
  std::string_view code;      // error_code of an ERROR event: "context_length_exceeded"
  std::int32_t status;        // VERNAL_*
  std::uint32_t http_status;  // http_hint of an ERROR event
  bool is_retryable;          // the same request may succeed later
};

/// Every kind. Where several have one status, the first is what the status alone means.
inline constexpr std::array kRequestErrorKinds = {
    RequestErrorKind{"invalid_value", VERNAL_INVALID_ARGUMENT, 400, false},
    RequestErrorKind{"invalid_json", VERNAL_INVALID_ARGUMENT, 400, false},
    RequestErrorKind{"unknown_parameter", VERNAL_INVALID_ARGUMENT, 400, false},
    RequestErrorKind{"request_too_large", VERNAL_INVALID_ARGUMENT, 413, false},
    RequestErrorKind{"unsupported_parameter", VERNAL_UNSUPPORTED, 400, false},
    RequestErrorKind{"unsupported_content", VERNAL_UNSUPPORTED, 400, false},
    RequestErrorKind{"no_chat_template", VERNAL_UNSUPPORTED, 400, false},
    RequestErrorKind{"context_length_exceeded", VERNAL_CONTEXT_OVERFLOW, 400, false},
    RequestErrorKind{"model_not_found", VERNAL_NOT_FOUND, 404, false},
    RequestErrorKind{"model_unavailable", VERNAL_UNAVAILABLE, 503, true},
    RequestErrorKind{"model_loading", VERNAL_UNAVAILABLE, 503, true},
    RequestErrorKind{"model_unavailable", VERNAL_DEVICE_LOST, 503, true},
    RequestErrorKind{"server_is_overloaded", VERNAL_QUEUE_FULL, 503, true},
    RequestErrorKind{"server_is_overloaded", VERNAL_RESOURCE_EXHAUSTED, 503, true},
    RequestErrorKind{"cancelled", VERNAL_CANCELLED, 499, false},
    RequestErrorKind{"client_stalled", VERNAL_CLIENT_STALLED, 408, false},
    RequestErrorKind{"deadline_exceeded", VERNAL_DEADLINE, 504, false},
    RequestErrorKind{"internal_error", VERNAL_INTERNAL, 500, false},
};

/// The kind of that code; null if there is none.
constexpr const RequestErrorKind* find_request_error(std::string_view code) noexcept {
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    if (kind.code == code) return &kind;
  }
  return nullptr;
}

/// What a status means when nothing more is known; internal_error for one that is not in the table.
constexpr const RequestErrorKind& request_error_of(std::int32_t status) noexcept {
  for (const RequestErrorKind& kind : kRequestErrorKinds) {
    if (kind.status == status) return kind;
  }
  return kRequestErrorKinds.back();
}

}  // namespace vernal
