// The routes that belong to no API, as the description of the API tells them.
#pragma once

#include <array>

#include "openai_http/protocol/route_schemas.hpp"

namespace vernal::openai_http {

inline constexpr std::array kServerComponents = {
    NamedSchema{"Health", R"({"type":"object","required":["status"],"properties":{
      "status":{"enum":["ok","loading","draining","failed"]},"reason":{"type":"string"},
      "error":{"type":"object"}}})"},
    NamedSchema{"Event", R"({"type":"object","required":["data"],"description":"One of a stream.",
      "properties":{"event":{"type":"string"},"data":{"type":"string"}}})"},
};

inline constexpr std::array kServerRoutes = {
    RouteSchemas{"GET", "/", "Name, version and endpoints; for browsers the page.", "",
                 R"({"type":"object","required":["name","version","endpoints"],"properties":{
      "name":{"type":"string"},"version":{"type":"string"},"endpoints":{"type":"string"}}})",
                 "", false, "text/html"},
    RouteSchemas{"GET", "/page/{id}", "A file of the page.", "", "", "", false,
                 "text/html text/css text/javascript image/svg+xml"},
    RouteSchemas{"GET", "/health", "Whether every model is ready.", "",
                 R"({"$ref":"#/components/schemas/Health"})"},
    RouteSchemas{"GET", "/healthz", "Whether every model is ready.", "",
                 R"({"$ref":"#/components/schemas/Health"})"},
    RouteSchemas{"GET", "/ping", "Whether every model is ready.", "",
                 R"({"$ref":"#/components/schemas/Health"})"},
    RouteSchemas{
        "GET", "/version", "The version of the server.", "",
        R"({"type":"object","required":["version"],"properties":{"version":{"type":"string"}}})"},
    RouteSchemas{"GET", "/metrics", "Counters, gauges and histograms, Prometheus text.", "", ""},
    RouteSchemas{
        "GET", "/openapi.json", "This description.", "",
        R"({"type":"object","required":["openapi","info","paths","components"],"properties":{
      "openapi":{"const":"3.1.0"},"info":{"type":"object"},"paths":{"type":"object"},
      "components":{"type":"object"}}})"},
};

}  // namespace vernal::openai_http
