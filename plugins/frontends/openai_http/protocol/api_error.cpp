#include "openai_http/protocol/api_error.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

constexpr unsigned kRetryAfterSeconds = 2;
constexpr std::size_t kShortestMessage = 30;
constexpr std::string_view kInvalidRequest = "invalid_request_error";
constexpr std::string_view kServerError = "server_error";

ApiError make_error(unsigned status, std::string_view code, std::string_view message) {
  ApiError error;
  error.status = status;
  error.type = status < 500 && status != 429 ? kInvalidRequest : kServerError;
  error.code = code;
  error.message = message;
  if (status == 503 || status == 429) error.retry_after_s = kRetryAfterSeconds;
  return error;
}

std::string_view anthropic_type(unsigned status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status < 500 ? kInvalidRequest : "api_error";
  }
}

/// HTTP status that fits a status of the interface.
unsigned http_status(std::int32_t status) {
  switch (status) {
    case VERNAL_INVALID_ARGUMENT:
    case VERNAL_UNSUPPORTED:
    case VERNAL_CONTEXT_OVERFLOW:
      return 400;
    case VERNAL_NOT_FOUND:
      return 404;
    case VERNAL_RESOURCE_EXHAUSTED:
    case VERNAL_QUEUE_FULL:
    case VERNAL_UNAVAILABLE:
    case VERNAL_DEVICE_LOST:
      return 503;
    case VERNAL_DEADLINE:
      return 504;
    case VERNAL_CLIENT_STALLED:
      return 408;
    default:
      return 500;
  }
}

std::string_view code_of_status(std::int32_t status) {
  switch (status) {
    case VERNAL_INVALID_ARGUMENT:
      return "invalid_value";
    case VERNAL_UNSUPPORTED:
      return "unsupported_parameter";
    case VERNAL_CONTEXT_OVERFLOW:
      return "context_length_exceeded";
    case VERNAL_NOT_FOUND:
      return "model_not_found";
    case VERNAL_RESOURCE_EXHAUSTED:
    case VERNAL_QUEUE_FULL:
      return "server_is_overloaded";
    case VERNAL_UNAVAILABLE:
      return "model_loading";
    case VERNAL_DEADLINE:
      return "deadline_exceeded";
    case VERNAL_CLIENT_STALLED:
      return "client_stalled";
    case VERNAL_CANCELLED:
      return "cancelled";
    default:
      return "internal_error";
  }
}

std::string overflow_message(const ApiError& error, Dialect dialect) {
  if (dialect == Dialect::kAnthropic) {
    return fmt::format("prompt is too long: {} tokens > {} maximum", error.prompt_tokens,
                       error.context_length);
  }
  return fmt::format(
      "This model's maximum context length is {} tokens. However, your messages resulted in {} "
      "tokens. Please reduce the length of the messages.",
      error.context_length, error.prompt_tokens);
}

std::string message_of(const ApiError& error, Dialect dialect) {
  if (error.prompt_tokens > 0 && error.context_length > 0) return overflow_message(error, dialect);
  std::string message = to_valid_utf8(error.message);
  if (message.size() < kShortestMessage) message += " (the request was refused by the server)";
  return message;
}

}  // namespace

ApiError invalid_value(std::string_view param, std::string_view message) {
  ApiError error = make_error(400, "invalid_value", message);
  error.param = param;
  return error;
}

ApiError unsupported_parameter(std::string_view param, std::string_view why) {
  ApiError error =
      make_error(400, "unsupported_parameter",
                 fmt::format("Unsupported parameter: '{}' is not supported: {}", param, why));
  error.param = param;
  return error;
}

ApiError unknown_model(std::string_view model) {
  ApiError error = make_error(
      404, "model_not_found",
      fmt::format("The model `{}` does not exist on this server; GET /v1/models lists what does.",
                  shortened(model)));
  error.param = "model";
  return error;
}

ApiError unknown_url(std::string_view method, std::string_view path) {
  return make_error(404, "unknown_url",
                    fmt::format("Unknown request URL: {} {}. See the list of endpoints in the "
                                "server's documentation.",
                                method, shortened(path)));
}

ApiError http_refusal(unsigned status, std::string_view code, std::string_view message) {
  return make_error(status, code, message);
}

ApiError wrong_api_key() {
  return make_error(401, "invalid_api_key",
                    "Incorrect API key provided: send one that the server knows in the header "
                    "Authorization: Bearer or x-api-key.");
}

ApiError at_capacity(std::string_view what) {
  return make_error(503, "server_is_overloaded",
                    fmt::format("The server is at capacity: {}. Try again later.", what));
}

ApiError draining() {
  return make_error(503, "server_is_draining",
                    "The server is shutting down and takes no new requests.");
}

ApiError internal_error(std::string_view what) {
  return make_error(500, "internal_error", fmt::format("The server failed: {}", what));
}

ApiError error_of_status(std::int32_t status, std::string_view text, std::string_view model) {
  if (status == VERNAL_NOT_FOUND) return unknown_model(model);
  if (status == VERNAL_QUEUE_FULL) return at_capacity("its queue of requests is full");
  const std::string_view said = text.empty() ? status_name(status) : text;
  return make_error(http_status(status), code_of_status(status), said);
}

ApiError error_of_event(const vernal_event& event) {
  const unsigned hint = event.http_hint;
  const unsigned status = hint >= 400 && hint < 600 ? hint : http_status(event.code);
  const std::string_view said = view(event.text);
  const std::string_view code = view(event.error_code);
  ApiError error = make_error(status, code.empty() ? code_of_status(event.code) : code,
                              said.empty() ? status_name(event.code) : said);
  error.param = view(event.param);
  if (error.code == "context_length_exceeded") {
    error.prompt_tokens = event.prompt_tokens;
    error.context_length = event.context_length;
  }
  return error;
}

std::string render_error(const ApiError& error, Dialect dialect, std::string_view request_id) {
  namespace json = boost::json;
  const std::string message = message_of(error, dialect);
  if (dialect == Dialect::kAnthropic) {
    json::object inner{{"type", anthropic_type(error.status)}, {"message", message}};
    return to_text(
        json::object{{"type", "error"}, {"error", std::move(inner)}, {"request_id", request_id}});
  }
  json::object inner{{"message", message}, {"type", error.type}};
  inner["param"] = error.param.empty() ? json::value(nullptr) : json::value(error.param);
  inner["code"] = error.code.empty() ? json::value(nullptr) : json::value(error.code);
  return to_text(json::object{{"error", std::move(inner)}});
}

}  // namespace vernal::openai_http
