// Errors as clients of the two APIs know them: status, type, code, and the bodies they are written
// as.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "vernal/abi/frontend.h"

namespace vernal::openai_http {

/// Whose shape an answer has.
enum class Dialect { kOpenAi, kAnthropic };

/// One refusal or failure, still without a shape.
struct ApiError {
  unsigned status = 500;       // of HTTP
  std::string type;            // "invalid_request_error", "server_error"
  std::string code;            // "invalid_value", "model_not_found", ...
  std::string param;           // the request field at fault; empty: none
  std::string message;         // one or two sentences for a person
  unsigned retry_after_s = 0;  // seconds for Retry-After; 0: no such header
  // Both are set for context_length_exceeded, whose wording differs between the dialects.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t context_length = 0;
};

/// Thrown while a request is read or converted; ends it with this error.
class RequestRefused : public std::exception {
 public:
  explicit RequestRefused(ApiError error) : error_(std::move(error)) {}
  const ApiError& error() const noexcept { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  ApiError error_;
};

/// 400 invalid_value for one field of the request. The message should be at least 30 characters:
/// clients take shorter ones of a long conversation for an overflow.
ApiError invalid_value(std::string_view param, std::string_view message);
/// 400 unsupported_parameter; the message begins "Unsupported parameter: 'param'" and goes on with
/// `why`.
ApiError unsupported_parameter(std::string_view param, std::string_view why);
/// 404 model_not_found.
ApiError unknown_model(std::string_view model);
/// 404 unknown_url.
ApiError unknown_url(std::string_view method, std::string_view path);
/// An HTTP-level refusal: 400, 405, 408, 413, 414, 415, 417, 431, 505 ...
ApiError http_refusal(unsigned status, std::string_view code, std::string_view message);
/// 401 invalid_api_key.
ApiError wrong_api_key();
/// 503 server_overloaded with Retry-After.
ApiError at_capacity(std::string_view what);
/// 503 while the process drains.
ApiError draining();
/// 500 internal_error.
ApiError internal_error(std::string_view what);

/// The error a submit or a text call returned: `status` is its VERNAL_* code, `text` what the core
/// said.
ApiError error_of_status(std::int32_t status, std::string_view text, std::string_view model);
/// The error an ERROR event carries.
ApiError error_of_event(const vernal_event& event);

/// The JSON body. `request_id` is written in the Anthropic shape only.
std::string render_error(const ApiError& error, Dialect dialect, std::string_view request_id);

}  // namespace vernal::openai_http
