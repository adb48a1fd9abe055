#include "openai_http/server/service.hpp"

#include <fmt/format.h>

#include <utility>

#include "openai_http/http/content_coding.hpp"
#include "openai_http/openai/model_listing.hpp"
#include "openai_http/server/process_metrics.hpp"
#include "openai_http/server/routes.hpp"
#include "vernal/abi/version.h"

namespace vernal::openai_http {
namespace {

/// The bodies of all requests together, with what decodes them, may take this many times the
/// largest one.
constexpr std::uint64_t kLargestBodies = 8;

Metric metric(std::string_view name, std::string_view help, std::uint32_t type,
              std::uint64_t value) {
  return {std::string(name), std::string(help), {}, static_cast<double>(value), type};
}

/// The names the deployment lists, and the one in `listen`.
std::vector<std::string> known_hosts(const Settings& settings) {
  std::vector<std::string> hosts = settings.hosts;
  hosts.push_back(settings.host);
  return hosts;
}

ApiKeys read_keys(const std::string& path) {
  return path.empty() ? ApiKeys() : ApiKeys::from_file(path);
}

}  // namespace

HttpService::HttpService(Settings own_settings, EngineClient engine_client, TextClient text_client)
    : settings(std::move(own_settings)),
      engine(engine_client),
      text(text_client),
      keys(read_keys(settings.api_keys_file)),
      cors(settings.cors_origins),
      hosts(known_hosts(settings)),
      body_budget(kLargestBodies * (settings.max_body + kMostDecoderMemory)),
      responses(settings.stored_responses),
      workers(1) {}

std::vector<ModelInfo> HttpService::models() const {
  return visible_models(engine.models(), settings.models);
}

std::vector<Metric> HttpService::own_metrics() const {
  std::vector<Metric> out;
  out.push_back(metric("vernal_http_connections", "Open connections.", VERNAL_METRIC_GAUGE,
                       counters.open_connections));
  out.push_back(metric("vernal_http_connections_total", "Connections accepted.",
                       VERNAL_METRIC_COUNTER, counters.connections));
  out.push_back(metric("vernal_http_connections_refused_total",
                       "Connections answered 503 because too many were open.",
                       VERNAL_METRIC_COUNTER, counters.refused_connections));
  out.push_back(metric("vernal_http_clients_gone_total",
                       "Clients that left before their answer was complete.", VERNAL_METRIC_COUNTER,
                       counters.clients_gone));
  out.push_back(metric("vernal_http_stored_responses",
                       "Responses that clients may ask for or go on from.", VERNAL_METRIC_GAUGE,
                       responses.num_responses()));
  out.push_back(metric("vernal_http_stored_response_bytes", "Memory of stored responses.",
                       VERNAL_METRIC_GAUGE, responses.num_bytes()));
  for (unsigned status_class = 1; status_class < 6; ++status_class) {
    Metric answers = metric("vernal_http_answers_total", "Answers by class of status.",
                            VERNAL_METRIC_COUNTER, counters.answers_by_class[status_class]);
    answers.labels = fmt::format("class=\"{}xx\"", status_class);
    out.push_back(std::move(answers));
  }
  counters.routes.for_each([&](std::size_t route, unsigned status, std::uint64_t count) {
    Metric requests = metric("vernal_http_requests_total", "Requests by route and status.",
                             VERNAL_METRIC_COUNTER, count);
    const RouteName name = route_name(route);
    requests.labels = fmt::format("method=\"{}\",route=\"{}\",status=\"{}\"", name.method,
                                  name.path, status == 0 ? "other" : fmt::format("{}", status));
    out.push_back(std::move(requests));
  });
  Metric build = metric("vernal_build_info", "What runs; always 1.", VERNAL_METRIC_GAUGE, 1);
  build.labels = fmt::format("version=\"{}\",interface=\"{}.{}\"", VERNAL_HTTP_VERSION,
                             VERNAL_ABI_MAJOR, VERNAL_ABI_MINOR);
  out.push_back(std::move(build));
  for (Metric& own : process_metrics()) out.push_back(std::move(own));
  return out;
}

void HttpService::log(std::uint32_t level, std::string_view line) const noexcept {
  const Host& host = plugin_host();
  if (level >= host.log_level()) host.log(level, settings.name, line);
}

}  // namespace vernal::openai_http
