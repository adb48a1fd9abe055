#include "openai_http/protocol/api_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <new>
#include <string>

#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

constexpr unsigned kRetryAfterSeconds = 2;
constexpr std::size_t kShortestMessage = 30;
constexpr std::string_view kInvalidRequest = "invalid_request_error";
constexpr std::string_view kServerError = "server_error";

/// Types of content parts that the APIs know and no model here can read.
constexpr std::array<std::string_view, 11> kUnreadable = {
    "image", "image_url", "input_image", "audio", "input_audio", "audio_url",
    "video", "video_url", "document",    "file",  "input_file"};

ApiError make_error(std::string_view code, unsigned status, std::string_view message) {
  ApiError error;
  error.status = status;
  error.type = status < 500 && status != 429 ? kInvalidRequest : kServerError;
  error.code = code;
  error.message = message;
  if (status == 503 || status == 429) error.retry_after_s = kRetryAfterSeconds;
  return error;
}

ApiError make_error(AnswerCode code, std::string_view message) {
  return make_error(code.code(), code.status(), message);
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

/// The wording of the Anthropic API. That of the OpenAI API comes from the engine.
std::string overflow_message(const ApiError& error) {
  return fmt::format("prompt is too long: {} tokens > {} maximum", error.prompt_tokens,
                     error.context_length);
}

/// "guided_choice[3]" of "format.choices[3]". Without the client's name for the format it is the one
/// that is usual in the API.
std::string as_format_member(std::string_view path, Dialect dialect, std::string_view member) {
  if (member.empty() && dialect == Dialect::kResponses) member = "text.format";
  if (member.empty() && dialect == Dialect::kAnthropic) member = "output_config.format";
  if (member.empty()) member = "response_format";
  const std::size_t index = path.find('[');
  return std::string(member) +
         std::string(index == std::string_view::npos ? std::string_view() : path.substr(index));
}

/// The core names members of its own document. What is "sampling.top_p" there is "top_p" in a
/// client's request.
std::string as_client_member(std::string_view path, Dialect dialect,
                             std::string_view format_member) {
  constexpr std::string_view kSampling = "sampling.";
  constexpr std::string_view kStop = "stop";
  const bool is_anthropic = dialect == Dialect::kAnthropic;
  const bool is_responses = dialect == Dialect::kResponses;
  // What was sent may have become several messages or a part of one: their numbers say nothing.
  const bool is_message = path == "messages" || path.starts_with("messages[");
  if (is_responses && is_message) return "input";
  if (is_anthropic && is_message) return "messages";
  if (path == "format" || path.starts_with("format.")) {
    return as_format_member(path, dialect, format_member);
  }
  if (path == "template_kwargs") return "chat_template_kwargs";
  if (path == "kind") return "model";  // of embeddings, which another model may give
  if (is_anthropic && (path == kStop || path.starts_with("stop["))) {
    return fmt::format("stop_sequences{}", path.substr(kStop.size()));
  }
  if (path.starts_with(kSampling)) path.remove_prefix(kSampling.size());
  return std::string(path);
}

std::string with_client_member(std::string message, std::string_view path,
                               std::string_view member) {
  const std::string quoted = fmt::format("'{}'", path);
  const std::size_t at = message.find(quoted);
  return at == std::string::npos ? message
                                 : message.replace(at, quoted.size(), fmt::format("'{}'", member));
}

/// The names llama-server has for its errors.
std::string_view native_type(const ApiError& error) {
  if (error.code == "context_length_exceeded") return "exceed_context_size_error";
  switch (error.status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 501:
      return "not_supported_error";
    case 503:
      return "unavailable_error";
    default:
      return error.status < 500 ? "invalid_request_error" : "server_error";
  }
}

/// {"error": {"code": status, "message", "type"}}, and what the prompt took if it is too long.
std::string render_native_error(const ApiError& error, const std::string& message) {
  namespace json = boost::json;
  json::object inner{{"code", error.status}, {"message", message}, {"type", native_type(error)}};
  if (error.prompt_tokens > 0 && error.context_length > 0) {
    inner["n_prompt_tokens"] = error.prompt_tokens;
    inner["n_ctx"] = error.context_length;
  }
  return to_text(json::object{{"error", std::move(inner)}});
}

std::string message_of(const ApiError& error, Dialect dialect) {
  const bool is_overflow = error.prompt_tokens > 0 && error.context_length > 0;
  if (is_overflow && dialect == Dialect::kAnthropic) return overflow_message(error);
  std::string message = to_valid_utf8(error.message);
  if (message.size() < kShortestMessage) message += " (the request was refused by the server)";
  return message;
}

}  // namespace

ApiError invalid_value(std::string_view param, std::string_view message) {
  ApiError error = make_error("invalid_value", message);
  error.param = param;
  return error;
}

ApiError unsupported_parameter(std::string_view param, std::string_view why) {
  ApiError error =
      make_error("unsupported_parameter",
                 fmt::format("Unsupported parameter: '{}' is not supported: {}", param, why));
  error.param = param;
  return error;
}

ApiError unreadable_part(std::string_view param, std::string_view type, std::string_view expected) {
  const std::string text = fmt::format("Invalid value for '{}': expected {}, found \"{}\"", param,
                                       expected, shortened(type));
  if (std::find(kUnreadable.begin(), kUnreadable.end(), type) == kUnreadable.end()) {
    return invalid_value(param, text + ".");
  }
  ApiError error =
      http_refusal("unsupported_content", text + "; the models of this server read text only.");
  error.param = param;
  return error;
}

ApiError unknown_model(std::string_view model) {
  ApiError error = make_error(
      "model_not_found",
      fmt::format("The model `{}` does not exist on this server; GET /v1/models lists what does.",
                  shortened(model)));
  error.param = "model";
  return error;
}

ApiError unknown_response(std::string_view id) {
  ApiError error = make_error(
      "response_not_found",
      fmt::format("Response with id '{}' not found: it was never stored, or is not any more.",
                  shortened(id)));
  error.param = "id";
  return error;
}

ApiError unknown_previous_response(std::string_view id) {
  ApiError error = make_error(
      "previous_response_not_found",
      fmt::format("Previous response with id '{}' not found: it was never stored, or is not any "
                  "more. Send the whole conversation as input.",
                  shortened(id)));
  error.param = "previous_response_id";
  return error;
}

ApiError unknown_url(std::string_view method, std::string_view path, std::string_view endpoints) {
  return make_error("unknown_url", fmt::format("Unknown request URL: {} {}. This server has {}.",
                                               method, shortened(path), endpoints));
}

ApiError method_not_allowed(std::string_view method, std::string_view path,
                            std::string_view allowed) {
  ApiError error = make_error("method_not_allowed",
                              fmt::format("The path {} does not know the method {}; it takes {}.",
                                          shortened(path), method, allowed));
  error.allowed_methods = allowed;
  return error;
}

ApiError http_refusal(AnswerCode code, std::string_view message) {
  return make_error(code, message);
}

ApiError missing_api_key() {
  return make_error("missing_api_key",
                    "No API key was sent: this server needs one, in the header Authorization: "
                    "Bearer KEY or x-api-key: KEY.");
}

ApiError wrong_api_key() {
  return make_error("invalid_api_key",
                    "Incorrect API key provided: send one that the server knows in the header "
                    "Authorization: Bearer KEY or x-api-key: KEY.");
}

ApiError at_capacity(std::string_view what) {
  return make_error("server_is_overloaded",
                    fmt::format("The server is at capacity: {}. Try again later.", what));
}

ApiError draining() {
  return make_error("server_is_draining", "The server is shutting down and takes no new requests.");
}

ApiError model_loading(std::string_view message) { return make_error("model_loading", message); }

ApiError internal_error(std::string_view what) {
  return make_error("internal_error", fmt::format("The server failed: {}", what));
}

ApiError error_of_status(std::int32_t status, std::string_view text, std::string_view model) {
  if (status == VERNAL_NOT_FOUND) return unknown_model(model);
  if (status == VERNAL_QUEUE_FULL) return at_capacity("its queue of requests is full");
  const RequestErrorKind& kind = request_error_of(status);
  return make_error(kind.code, kind.http_status, text.empty() ? status_name(status) : text);
}

ApiError error_of_event(const vernal_event& event, Dialect dialect,
                        std::string_view format_member) {
  const std::string_view code = view(event.error_code);
  const RequestErrorKind* const named = find_request_error(code);
  const RequestErrorKind& kind = named != nullptr ? *named : request_error_of(event.code);
  const unsigned hint = event.http_hint;
  const unsigned status = hint >= 400 && hint < 600 ? hint : kind.http_status;
  const std::string_view said = view(event.text);
  const std::string member = as_client_member(view(event.param), dialect, format_member);
  ApiError error =
      make_error(code.empty() ? kind.code : code, status,
                 said.empty() ? std::string(status_name(event.code))
                              : with_client_member(std::string(said), view(event.param), member));
  error.param = member;
  if (error.code == "context_length_exceeded") {
    error.prompt_tokens = event.prompt_tokens;
    error.context_length = event.context_length;
  }
  return error;
}

ApiError current_error(std::string_view model) {
  try {
    throw;
  } catch (const RequestRefused& refused) {
    return refused.error();
  } catch (const Error& error) {
    return error_of_status(error.code(), error.what(), model);
  } catch (const std::bad_alloc&) {
    return at_capacity("there is no memory for the request");
  } catch (const std::exception& exception) {
    return internal_error(exception.what());
  }
}

std::string render_error(const ApiError& error, Dialect dialect, std::string_view request_id) {
  namespace json = boost::json;
  const std::string message = message_of(error, dialect);
  if (dialect == Dialect::kAnthropic) {
    json::object inner{{"type", anthropic_type(error.status)}, {"message", message}};
    json::object out{{"type", "error"}, {"error", std::move(inner)}};
    if (!request_id.empty()) out["request_id"] = request_id;
    return to_text(out);
  }
  if (dialect == Dialect::kNative) return render_native_error(error, message);
  json::object inner{{"message", message}, {"type", error.type}};
  inner["param"] = error.param.empty() ? json::value(nullptr) : json::value(error.param);
  inner["code"] = error.code.empty() ? json::value(nullptr) : json::value(error.code);
  return to_text(json::object{{"error", std::move(inner)}});
}

}  // namespace vernal::openai_http
