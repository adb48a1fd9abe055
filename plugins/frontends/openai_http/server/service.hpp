// What all connections of one frontend share.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "openai_http/http/api_keys.hpp"
#include "openai_http/http/caller_policy.hpp"
#include "openai_http/http/cors.hpp"
#include "openai_http/http/memory_budget.hpp"
#include "openai_http/responses/response_store.hpp"
#include "openai_http/server/route_counters.hpp"
#include "openai_http/settings.hpp"
#include "vernal/engine_client.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// Counters of the frontend itself. Any thread.
struct HttpCounters {
  std::atomic<std::uint64_t> open_connections = 0;
  std::atomic<std::uint64_t> connections = 0;
  std::atomic<std::uint64_t> refused_connections = 0;
  std::atomic<std::uint64_t> active_requests = 0;       // head read, answer not yet sent
  std::atomic<std::uint64_t> answers_by_class[6] = {};  // index: status / 100
  std::atomic<std::uint64_t> clients_gone = 0;          // before their answer was complete
  RouteCounters routes;
};

/// Settings and services. Any thread; outlives every connection.
struct HttpService {
  HttpService(Settings own_settings, EngineClient engine_client, TextClient text_client);

  const Settings settings;
  const EngineClient engine;
  const TextClient text;
  const ApiKeys keys;
  const CorsPolicy cors;
  const HostPolicy hosts;
  MemoryBudget body_budget;
  ResponseStore responses;
  HttpCounters counters;
  std::atomic<bool> is_draining = false;
  std::atomic<bool> is_stopping = false;
  /// Does work for which other connections would have to wait: counting tokens, parsing large
  /// bodies.
  net::thread_pool workers;

  /// The models that this frontend shows to its clients.
  std::vector<ModelInfo> models() const;

  /// The counters as metrics.
  std::vector<Metric> own_metrics() const;

  /// Writes a log line if `level` is written at all.
  void log(std::uint32_t level, std::string_view text) const noexcept;
  /// The same, but the text is made only then. Without memory for it the line says so.
  template <class MakeText>
  void log(std::uint32_t level, const MakeText& make_text) const noexcept
    requires std::is_invocable_v<MakeText>
  {
    if (level < plugin_host().log_level()) return;
    try {
      log(level, std::string_view(make_text()));
    } catch (const std::exception&) {
      log(level, std::string_view("(there was no memory for a log line)"));
    }
  }
};

}  // namespace vernal::openai_http
