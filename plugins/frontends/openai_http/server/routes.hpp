// Which endpoint answers which request.
#pragma once

#include <span>
#include <string>

#include "openai_http/server/endpoint.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Finds the endpoint from the head alone, before the body is read, settles path and dialect of the
/// exchange, and returns the endpoint's handler. Throws RequestRefused: 401 without a key that is
/// known, 403 for a name or an origin that may not ask, 404, 405, 415, 503 while draining.
Handler route(Exchange& exchange);

/// Every endpoint: "GET /health, POST /v1/chat/completions".
std::string endpoint_list();

/// The table.
std::span<const Endpoint> all_endpoints() noexcept;

/// The place of an endpoint in the table, for counting.
std::size_t route_number(const Endpoint& endpoint) noexcept;

/// Method and path of the row of that number; "other" for numbers without one.
struct RouteName {
  std::string_view method;
  std::string_view path;
};
RouteName route_name(std::size_t number) noexcept;

}  // namespace vernal::openai_http
