// Handlers that never wait for a model: preflight, version, health, metrics, models.
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/openai/model_listing.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "openai_http/server/api_description.hpp"
#include "openai_http/server/handlers.hpp"
#include "openai_http/server/metrics_text.hpp"
#include "openai_http/server/routes.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// {"status": ..., "reason": ...}. If the status is not "ok" there is also an "error", since some
/// clients look for that only.
Response health_response(std::string_view status, std::string_view reason) {
  namespace json = boost::json;
  Response response;
  json::object body{{"status", status}};
  if (!reason.empty()) body["reason"] = to_valid_utf8(reason);
  if (status != "ok") {
    response.status = 503;
    response.headers.emplace_back("Retry-After", "2");
    body["error"] = {{"message", "The server is not ready to serve requests: it is " +
                                     std::string(status) + "."},
                     {"type", "server_error"},
                     {"param", nullptr},
                     {"code", status == "loading" ? "model_loading" : "model_unavailable"}};
  }
  response.body = to_text(body);
  return response;
}

std::string_view status_of(const HttpService& service, std::uint32_t state) {
  if (service.is_draining) return "draining";
  switch (state) {
    case VERNAL_MODEL_READY:
      return "ok";
    case VERNAL_MODEL_LOADING:
      return "loading";
    case VERNAL_MODEL_DRAINING:
      return "draining";
    default:
      return "failed";
  }
}

}  // namespace

net::awaitable<void> answer_preflight(Exchange& exchange) {
  Response response;
  response.status = 204;
  response.headers = CorsPolicy::preflight_headers(exchange.request().requested_headers);
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_version(Exchange& exchange) {
  Response response;
  response.body = to_text(boost::json::object{{"version", VERNAL_HTTP_VERSION}});
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_openapi(Exchange& exchange) {
  Response response;
  response.body = describe_api(all_endpoints());
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_health(Exchange& exchange) {
  const HttpService& service = exchange.service();
  const Health health = service.engine.health();
  Response response = health_response(status_of(service, health.state), health.reason);
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_metrics(Exchange& exchange) {
  const HttpService& service = exchange.service();
  std::vector<Metric> metrics = service.engine.metrics();
  for (Metric& metric : service.own_metrics()) metrics.push_back(std::move(metric));
  Response response;
  response.content_type = kMetricsType;
  response.body = render_metrics(metrics);
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_model_list(Exchange& exchange) {
  Response response;
  response.body = render_model_list(without_patterns(exchange.service().models()));
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_model(Exchange& exchange) {
  const std::string_view id = exchange.path_id();
  auto body = render_model(exchange.service().models(), id);
  if (!body) throw RequestRefused(unknown_model(id));
  Response response;
  response.body = std::move(*body);
  co_await exchange.send(std::move(response));
}

}  // namespace vernal::openai_http
