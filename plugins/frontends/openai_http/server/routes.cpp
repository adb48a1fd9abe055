#include "openai_http/server/routes.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/beast/core/string.hpp>
#include <string>
#include <vector>

#include "openai_http/anthropic/messages_answer.hpp"
#include "openai_http/anthropic/messages_request.hpp"
#include "openai_http/native/completion_answer.hpp"
#include "openai_http/native/completion_request.hpp"
#include "openai_http/native/infill_request.hpp"
#include "openai_http/openai/chat_answer.hpp"
#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/completion_answer.hpp"
#include "openai_http/openai/completion_request.hpp"
#include "openai_http/openai/embedding_answer.hpp"
#include "openai_http/openai/embedding_request.hpp"
#include "openai_http/page/page_handlers.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "openai_http/server/handlers.hpp"

namespace vernal::openai_http {
namespace {

constexpr GenerationApi kChat{read_chat_request, make_chat_answer, "chatcmpl-"};
constexpr GenerationApi kCompletion{read_completion_request, make_completion_answer, "cmpl-",
                                    prepare_completion};
constexpr GenerationApi kMessages{read_messages_request, make_messages_answer, "msg_"};
constexpr GenerationApi kNativeCompletion{read_native_completion, make_native_answer, "cmpl-",
                                          prepare_native_completion};
constexpr GenerationApi kInfill{read_infill, make_native_answer, "cmpl-", prepare_infill};
constexpr GenerationApi kEmbedding{read_embedding_request, make_embedding_answer, "embd-"};
constexpr GenerationApi kNativeEmbedding{read_native_embedding, make_native_embedding_answer,
                                         "embd-"};

constexpr std::array kEndpoints = {
    Endpoint{"GET", "/", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_root},
    Endpoint{"GET", "/page/{id}", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_page_file},
    Endpoint{"GET", "/health", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_health},
    Endpoint{"GET", "/healthz", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_health},
    Endpoint{"GET", "/ping", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_health},
    Endpoint{"GET", "/version", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_version},
    Endpoint{"GET", "/openapi.json", Access::kOpen, Work::kNone, Speaks::kOpenAi, answer_openapi},
    Endpoint{"GET", "/metrics", Access::kWithKey, Work::kNone, Speaks::kOpenAi, answer_metrics},
    Endpoint{"GET", "/v1/models", Access::kWithKey, Work::kNone, Speaks::kShared,
             answer_model_list},
    Endpoint{"GET", "/v1/models/{id}", Access::kWithKey, Work::kNone, Speaks::kShared,
             answer_model},
    Endpoint{"POST", "/v1/chat/completions", Access::kWithKey, Work::kComputes, Speaks::kOpenAi,
             answer_generation, &kChat},
    Endpoint{"POST", "/v1/completions", Access::kWithKey, Work::kComputes, Speaks::kOpenAi,
             answer_generation, &kCompletion},
    Endpoint{"POST", "/v1/embeddings", Access::kWithKey, Work::kComputes, Speaks::kOpenAi,
             answer_generation, &kEmbedding},
    Endpoint{"POST", "/v1/chat/completions/input_tokens", Access::kWithKey, Work::kComputes,
             Speaks::kOpenAi, answer_chat_input_tokens},
    Endpoint{"POST", "/v1/messages", Access::kWithKey, Work::kComputes, Speaks::kAnthropic,
             answer_generation, &kMessages},
    Endpoint{"POST", "/v1/responses", Access::kWithKey, Work::kComputes, Speaks::kResponses,
             answer_response},
    Endpoint{"POST", "/v1/responses/input_tokens", Access::kWithKey, Work::kComputes,
             Speaks::kResponses, answer_response_input_tokens},
    Endpoint{"GET", "/v1/responses/{id}", Access::kWithKey, Work::kNone, Speaks::kResponses,
             answer_stored_response},
    Endpoint{"DELETE", "/v1/responses/{id}", Access::kWithKey, Work::kNone, Speaks::kResponses,
             answer_delete_response},
    Endpoint{"GET", "/v1/responses/{id}/input_items", Access::kWithKey, Work::kNone,
             Speaks::kResponses, answer_response_input_items},
    Endpoint{"POST", "/v1/messages/count_tokens", Access::kWithKey, Work::kComputes,
             Speaks::kAnthropic, answer_count_tokens},
    Endpoint{"POST", "/tokenize", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_tokenize},
    Endpoint{"POST", "/detokenize", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_detokenize},
    Endpoint{"POST", "/apply-template", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_apply_template},
    Endpoint{"POST", "/completion", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_generation, &kNativeCompletion},
    Endpoint{"POST", "/embedding", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_generation, &kNativeEmbedding},
    Endpoint{"POST", "/infill", Access::kWithKey, Work::kComputes, Speaks::kNative,
             answer_generation, &kInfill},
    Endpoint{"GET", "/props", Access::kWithKey, Work::kNone, Speaks::kNative, answer_props},
    Endpoint{"GET", "/slots", Access::kWithKey, Work::kNone, Speaks::kNative, answer_slots},
};

constexpr std::string_view kIdPart = "{id}";
constexpr std::string_view kAnthropicPrefix = "/anthropic";
constexpr std::string_view kVersionPrefix = "/v1";

bool path_matches(const Endpoint& endpoint, std::string_view path) {
  if (endpoint.path.find(kIdPart) == std::string_view::npos) return path == endpoint.path;
  return !id_in_path(endpoint.path, path).empty();
}

bool method_matches(const Endpoint& endpoint, std::string_view method) {
  return method == endpoint.method || (method == "HEAD" && endpoint.method == "GET");
}

std::vector<const Endpoint*> endpoints_of(std::string_view path) {
  std::vector<const Endpoint*> found;
  for (const Endpoint& endpoint : kEndpoints) {
    if (path_matches(endpoint, path)) found.push_back(&endpoint);
  }
  return found;
}

/// Takes the prefix "/anthropic" off the path. Whether it was there.
bool strip_prefix(Exchange& exchange) {
  const std::string path(exchange.path());
  if (!path.starts_with(kAnthropicPrefix)) return false;
  const std::string rest = path.substr(kAnthropicPrefix.size());
  if (!rest.starts_with('/')) return false;
  exchange.set_path(rest);
  return true;
}

/// The endpoints of the path as it is, or else as it would be with "/v1", which some clients leave
/// out.
std::vector<const Endpoint*> find_endpoints(Exchange& exchange) {
  std::vector<const Endpoint*> found = endpoints_of(exchange.path());
  if (!found.empty()) return found;
  std::string versioned = fmt::format("{}{}", kVersionPrefix, exchange.path());
  found = endpoints_of(versioned);
  if (!found.empty()) exchange.set_path(std::move(versioned));
  return found;
}

std::string allowed_methods(const std::vector<const Endpoint*>& endpoints) {
  std::string out;
  for (const Endpoint* const endpoint : endpoints) {
    out += fmt::format("{}, ", endpoint->method);
    if (endpoint->method == "GET") out += "HEAD, ";
  }
  return out + "OPTIONS";
}

/// A bearer token: what follows "Bearer" in Authorization.
std::string_view bearer_of(const HttpRequest& request) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view value = request.authorization;
  const std::string_view scheme = value.substr(0, kScheme.size());
  const bool is_bearer =
      boost::beast::iequals({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()});
  value = is_bearer ? value.substr(kScheme.size()) : std::string_view{};
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

/// Finds out who asks.
void check_key(Exchange& exchange, const ApiKeys& keys) {
  if (!keys.are_required()) return;
  const HttpRequest& request = exchange.request();
  if (request.authorization.empty() && request.api_key.empty()) {
    throw RequestRefused(missing_api_key());
  }
  // Both are looked at, so that the time says nothing.
  const auto by_bearer = keys.find(bearer_of(request));
  const auto by_api_key = keys.find(request.api_key);
  if (!by_bearer && !by_api_key) throw RequestRefused(wrong_api_key());
  exchange.set_client(by_bearer ? *by_bearer : *by_api_key);
}

/// With keys, a page that calls the server by a name of its own has none; without them it must be
/// told apart by that name.
void check_host(Exchange& exchange, const HttpService& service) {
  const std::string& host = exchange.request().host;
  if (service.keys.are_required()) return;
  if (service.hosts.accepts(host, exchange.connection().local_address())) return;
  throw RequestRefused(http_refusal(
      "host_not_allowed",
      fmt::format("This server is not known by the name {}. If clients are to call it so, its "
                  "deployment has to list the name in hosts, or set api_keys_file.",
                  shortened(host_name(host)))));
}

/// Pages of other origins may not make the server work unless the deployment says so, nor may any
/// page in a way for which its browser does not ask first (a form, which cannot say JSON).
void check_origin(const HttpRequest& request, const HttpService& service) {
  if (request.origin.empty()) return;
  if (!service.cors.lets_work(request.origin, request.host)) {
    throw RequestRefused(http_refusal(
        "origin_not_allowed",
        fmt::format("Pages of the origin {} may not use this server; its deployment lists those "
                    "that may in cors_origins.",
                    shortened(request.origin))));
  }
  if (!says_json(request.content_type)) {
    throw RequestRefused(http_refusal(
        "unsupported_media_type",
        fmt::format("A request with the header Origin has to say Content-Type: application/json, "
                    "found \"{}\".",
                    shortened(request.content_type))));
  }
}

Dialect dialect_of(Speaks speaks, Dialect client) {
  if (speaks == Speaks::kShared) return client;
  if (speaks == Speaks::kNative) return Dialect::kNative;
  if (speaks == Speaks::kResponses) return Dialect::kResponses;
  return speaks == Speaks::kAnthropic ? Dialect::kAnthropic : Dialect::kOpenAi;
}

/// The endpoint of the exchange's path and method. Until it is found, errors have the shape the
/// client speaks.
const Endpoint& find_endpoint(Exchange& exchange, const HttpService& service) {
  const HttpRequest& request = exchange.request();
  const bool has_prefix = strip_prefix(exchange);
  const bool is_anthropic = has_prefix || request.has_anthropic_version;
  const Dialect client = is_anthropic ? Dialect::kAnthropic : Dialect::kOpenAi;
  exchange.set_dialect(client);
  const std::vector<const Endpoint*> candidates = find_endpoints(exchange);
  const Endpoint* found = nullptr;
  for (const Endpoint* const candidate : candidates) {
    exchange.set_dialect(dialect_of(candidate->speaks, client));
    if (!method_matches(*candidate, request.head.method)) continue;
    // "/v1/responses/{id}/input_items" says more of a path than "/v1/responses/{id}".
    if (found == nullptr || candidate->path.size() > found->path.size()) found = candidate;
  }
  if (found == nullptr || found->access != Access::kOpen) check_key(exchange, service.keys);
  if (found != nullptr) return *found;
  const std::string& method = request.head.method;
  throw RequestRefused(candidates.empty() ? unknown_url(method, exchange.path(), endpoint_list())
                                          : method_not_allowed(method, exchange.path(),
                                                               allowed_methods(candidates)));
}

}  // namespace

std::string_view id_in_path(std::string_view pattern, std::string_view path) noexcept {
  const std::size_t at = pattern.find(kIdPart);
  if (at == std::string_view::npos) return {};
  const std::string_view before = pattern.substr(0, at);
  const std::string_view after = pattern.substr(at + kIdPart.size());
  const bool matches = path.size() > before.size() + after.size() && path.starts_with(before) &&
                       path.ends_with(after);
  if (!matches) return {};
  return path.substr(at, path.size() - before.size() - after.size());
}

std::string endpoint_list() {
  std::string out;
  for (const Endpoint& endpoint : kEndpoints) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", endpoint.method, endpoint.path);
  }
  return out;
}

std::span<const Endpoint> all_endpoints() noexcept { return kEndpoints; }

std::size_t route_number(const Endpoint& endpoint) noexcept {
  static_assert(kEndpoints.size() < RouteCounters::kNoRoute);
  return static_cast<std::size_t>(&endpoint - kEndpoints.data());
}

RouteName route_name(std::size_t number) noexcept {
  if (number >= kEndpoints.size()) return {"other", "other"};
  return {kEndpoints[number].method, kEndpoints[number].path};
}

Handler route(Exchange& exchange) {
  HttpService& service = exchange.service();
  check_host(exchange, service);
  if (exchange.request().head.method == "OPTIONS") return answer_preflight;
  const Endpoint& endpoint = find_endpoint(exchange, service);
  exchange.set_endpoint(endpoint);
  if (endpoint.work == Work::kComputes) check_origin(exchange.request(), service);
  if (service.is_draining && endpoint.access != Access::kOpen) {
    exchange.close_after();
    throw RequestRefused(draining());
  }
  return endpoint.handler;
}

}  // namespace vernal::openai_http
