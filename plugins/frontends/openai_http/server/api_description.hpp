// The description of the whole API, an OpenAPI 3.1 document.
#pragma once

#include <span>
#include <string>

#include "openai_http/protocol/route_schemas.hpp"
#include "openai_http/server/endpoint.hpp"

namespace vernal::openai_http {

/// The row of the schemas for a route; null if there is none.
const RouteSchemas* find_schemas(std::string_view method, std::string_view path) noexcept;

/// The document, of exactly these endpoints. Those without schemas are left out.
std::string describe_api(std::span<const Endpoint> endpoints);

}  // namespace vernal::openai_http
