#include "openai_http/server/routes.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/beast/core/string.hpp>
#include <string>

#include "openai_http/server/handlers.hpp"

namespace vernal::openai_http {
namespace {

/// Who may ask.
enum class Access { kOpen, kWithKey };

struct Route {
  std::string_view method;
  std::string_view path;  // ending in '/': whatever follows belongs to it
  Access access;
  Handler handler;
};

constexpr std::array kRoutes = {
    Route{"GET", "/health", Access::kOpen, answer_health},
    Route{"GET", "/metrics", Access::kWithKey, answer_metrics},
    Route{"GET", "/v1/models", Access::kWithKey, answer_model_list},
    Route{"GET", "/models", Access::kWithKey, answer_model_list},
    Route{"GET", "/v1/models/", Access::kWithKey, answer_model},
    Route{"GET", "/models/", Access::kWithKey, answer_model},
    Route{"POST", "/v1/chat/completions", Access::kWithKey, answer_chat},
    Route{"POST", "/chat/completions", Access::kWithKey, answer_chat},
    Route{"POST", "/v1/completions", Access::kWithKey, answer_completion},
    Route{"POST", "/completions", Access::kWithKey, answer_completion},
    Route{"POST", "/v1/messages/count_tokens", Access::kWithKey, answer_count_tokens},
};

constexpr std::string_view kAnthropicAlias = "/anthropic";
constexpr std::string_view kAnthropicPaths = "/v1/messages";

bool path_matches(const Route& route, std::string_view path) {
  if (route.path.back() != '/') return path == route.path;
  return path.size() > route.path.size() && path.substr(0, route.path.size()) == route.path;
}

bool method_matches(const Route& route, std::string_view method) {
  return method == route.method || (method == "HEAD" && route.method == "GET");
}

/// "/anthropic/v1/messages" is "/v1/messages", answered in that dialect.
void settle_dialect(Exchange& exchange) {
  const std::string path(exchange.path());
  const bool is_alias = path.substr(0, kAnthropicAlias.size()) == kAnthropicAlias &&
                        path.size() > kAnthropicAlias.size() && path[kAnthropicAlias.size()] == '/';
  if (is_alias) exchange.set_path(path.substr(kAnthropicAlias.size()));
  const bool is_messages = exchange.path().substr(0, kAnthropicPaths.size()) == kAnthropicPaths;
  if (is_alias || is_messages || exchange.request().has_anthropic_version) {
    exchange.set_dialect(Dialect::kAnthropic);
  }
}

[[noreturn]] void refuse_unrouted(const Exchange& exchange, bool is_path_known) {
  const std::string& method = exchange.request().head.method;
  if (!is_path_known) throw RequestRefused(unknown_url(method, exchange.path()));
  throw RequestRefused(http_refusal(
      405, "method_not_allowed",
      fmt::format("The path {} does not know the method {}.", exchange.path(), method)));
}

void check_key(const Exchange& exchange, const HttpService& service) {
  if (!has_accepted_key(service.keys, exchange.request())) throw RequestRefused(wrong_api_key());
}

}  // namespace

bool has_accepted_key(const ApiKeys& keys, const HttpRequest& request) {
  constexpr std::string_view kScheme = "bearer ";
  if (!keys.are_required()) return true;
  std::string_view bearer = request.authorization;
  const std::string_view scheme = bearer.substr(0, kScheme.size());
  const bool is_bearer =
      boost::beast::iequals({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()});
  bearer = is_bearer ? bearer.substr(kScheme.size()) : std::string_view{};
  while (!bearer.empty() && bearer.front() == ' ') bearer.remove_prefix(1);
  const bool bearer_fits = keys.accept(bearer);
  const bool api_key_fits = keys.accept(request.api_key);
  return bearer_fits || api_key_fits;
}

Handler route(Exchange& exchange) {
  const std::string& method = exchange.request().head.method;
  settle_dialect(exchange);
  if (method == "OPTIONS") return answer_preflight;
  const Route* found = nullptr;
  bool is_path_known = false;
  for (const Route& candidate : kRoutes) {
    if (!path_matches(candidate, exchange.path())) continue;
    is_path_known = true;
    if (method_matches(candidate, method)) found = &candidate;
  }
  HttpService& service = exchange.service();
  if (found == nullptr || found->access != Access::kOpen) check_key(exchange, service);
  if (found == nullptr) refuse_unrouted(exchange, is_path_known);
  if (service.is_draining && found->access != Access::kOpen) {
    exchange.close_after();
    throw RequestRefused(draining());
  }
  return found->handler;
}

}  // namespace vernal::openai_http
