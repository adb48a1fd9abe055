// Why a request is refused, in the terms of a client's protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vernal/error.hpp"
#include "vernal/frontend/request_errors.hpp"

namespace vernal {

/// A row of the table of request errors, named by its code. A code that is not in the table does
/// not compile. Code, status, HTTP status and whether to try again always come together.
class ErrorCode {
 public:
  // Implicit on purpose: throwing code names a row by a literal.
  consteval ErrorCode(const char* code) : kind_(find_request_error(code)) {
    if (kind_ == nullptr) throw "no such code in vernal/frontend/request_errors.hpp";
  }

  const RequestErrorKind& kind() const noexcept { return *kind_; }

 private:
  const RequestErrorKind* kind_;
};

/// What a frontend needs to answer beside the kind of the error and the message.
struct ErrorDetails {
  std::string param = {};            ///< field of the request document at fault, "messages[2].role"
  std::uint64_t context_length = 0;  ///< of context_length_exceeded
  std::uint64_t prompt_tokens = 0;   ///< of context_length_exceeded
};

/// A request cannot be served. The message is for the client's user: it names the field, what was
/// expected and what was found, and repeats none of the user's text.
class RequestError : public Error {
 public:
  RequestError(ErrorCode code, ErrorDetails details, const std::string& message)
      : Error(code.kind().status, message), kind_(&code.kind()), details_(std::move(details)) {}

  const RequestErrorKind& kind() const noexcept { return *kind_; }
  const ErrorDetails& details() const noexcept { return details_; }

 private:
  const RequestErrorKind* kind_;
  ErrorDetails details_;
};

/// A field has a value that no model would accept.
inline RequestError invalid_value(std::string param, const std::string& message) {
  return {"invalid_value", {.param = std::move(param)}, message};
}

/// A field asks for something that this version does not do.
inline RequestError unsupported_parameter(std::string param, const std::string& message) {
  return {"unsupported_parameter", {.param = std::move(param)}, message};
}

}  // namespace vernal
