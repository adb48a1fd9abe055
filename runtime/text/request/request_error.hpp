// Why a request is refused, in the terms of a client's protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

/// What a frontend needs to answer beside the message.
struct ErrorDetails {
  std::string_view error_code;    ///< "invalid_value"; a literal
  std::string param = {};         ///< field of the request document at fault, "messages[2].role"
  std::uint32_t http_hint = 400;  ///< HTTP status that fits
  bool is_retryable = false;
  std::uint64_t context_length = 0;  ///< of context_length_exceeded
  std::uint64_t prompt_tokens = 0;   ///< of context_length_exceeded
};

/// A request cannot be served. The message is for the client's user: it names the field, what was
/// expected and what was found, and repeats none of the user's text.
class RequestError : public Error {
 public:
  RequestError(std::int32_t code, ErrorDetails details, const std::string& message)
      : Error(code, message), details_(std::move(details)) {}

  const ErrorDetails& details() const noexcept { return details_; }

 private:
  ErrorDetails details_;
};

/// A field has a value that no model would accept.
inline RequestError invalid_value(std::string param, const std::string& message) {
  return {
      VERNAL_INVALID_ARGUMENT, {.error_code = "invalid_value", .param = std::move(param)}, message};
}

/// A field asks for something that this version does not do.
inline RequestError unsupported_parameter(std::string param, const std::string& message) {
  return {VERNAL_UNSUPPORTED,
          {.error_code = "unsupported_parameter", .param = std::move(param)},
          message};
}

}  // namespace vernal
