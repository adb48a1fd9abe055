// Errors as clients of the two APIs know them: status, type, code, and the bodies that carry them.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "openai_http/protocol/error_codes.hpp"
#include "vernal/abi/frontend.h"

namespace vernal::openai_http {

/// The API whose shape an answer has. Errors of kResponses have the shape of kOpenAi, but members of
/// a request have other names there.
enum class Dialect { kOpenAi, kResponses, kAnthropic, kNative };

/// One refusal or failure, not yet in the shape of an API.
struct ApiError {
  unsigned status = 500;        // of HTTP
  std::string type;             // "invalid_request_error", "server_error"
  std::string code;             // "invalid_value", "model_not_found", ...
  std::string param;            // the request field at fault; empty: none
  std::string message;          // one or two sentences for a person
  unsigned retry_after_s = 0;   // seconds for Retry-After; 0: no such header
  std::string allowed_methods;  // for Allow; empty: no such header
  // Both are set for context_length_exceeded, whose wording differs between the dialects.
  std::uint64_t prompt_tokens = 0;
  std::uint64_t context_length = 0;
};

/// Thrown while a request is read or converted. The request is answered with this error.
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
/// 400 for a part of a message's content that is not read. Pictures, sound and files, under the names
/// that the APIs have for them, are unsupported_content; other types are invalid_value.
///   param     the place of its type: "messages[2].content[0].type"
///   expected  which parts are read: "a content part of type text"
ApiError unreadable_part(std::string_view param, std::string_view type, std::string_view expected);
/// 404 model_not_found.
ApiError unknown_model(std::string_view model);
/// 404 response_not_found.
ApiError unknown_response(std::string_view id);
/// 404 previous_response_not_found.
ApiError unknown_previous_response(std::string_view id);
/// 404 unknown_url. `endpoints` lists what there is: "GET /health, POST /v1/completions".
ApiError unknown_url(std::string_view method, std::string_view path, std::string_view endpoints);
/// 405 method_not_allowed. `allowed` lists methods as the header Allow does: "GET, HEAD".
ApiError method_not_allowed(std::string_view method, std::string_view path,
                            std::string_view allowed);
/// Any other refusal, with the status of its code.
ApiError http_refusal(AnswerCode code, std::string_view message);
/// 401 for a request without a key.
ApiError missing_api_key();
/// 401 for a key that is not known.
ApiError wrong_api_key();
/// 503 server_is_overloaded with Retry-After.
ApiError at_capacity(std::string_view what);
/// 503 while the process drains.
ApiError draining();
/// 503 model_loading.
ApiError model_loading(std::string_view message);
/// 500 internal_error.
ApiError internal_error(std::string_view what);

/// The error a submit or a text call returned: `status` is its VERNAL_* code, `text` what the core
/// said, `model` the model that was asked for.
ApiError error_of_status(std::int32_t status, std::string_view text, std::string_view model);
/// The error an ERROR event carries, naming members as the client's request in that API does.
///   format_member  path of what asks for a format in the request; empty: the API's usual one
ApiError error_of_event(const vernal_event& event, Dialect dialect,
                        std::string_view format_member = {});

/// The exception being handled, as an error for the client; `model` is the one that was asked for.
/// To be called in a catch block.
ApiError current_error(std::string_view model = {});

/// The JSON body. `request_id` is written in the Anthropic shape only, and there if it is not empty.
std::string render_error(const ApiError& error, Dialect dialect, std::string_view request_id);

}  // namespace vernal::openai_http
