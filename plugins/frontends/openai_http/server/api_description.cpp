#include "openai_http/server/api_description.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "openai_http/anthropic/schemas.hpp"
#include "openai_http/native/schemas.hpp"
#include "openai_http/openai/schemas.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/shared_schemas.hpp"
#include "openai_http/responses/schemas.hpp"
#include "openai_http/server/schemas.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

template <class Visit>
void for_each_room(const Visit& visit) {
  visit(std::span<const RouteSchemas>(), std::span<const NamedSchema>(kSharedComponents));
  visit(std::span<const RouteSchemas>(kServerRoutes),
        std::span<const NamedSchema>(kServerComponents));
  visit(std::span<const RouteSchemas>(kOpenAiRoutes),
        std::span<const NamedSchema>(kOpenAiComponents));
  visit(std::span<const RouteSchemas>(kResponseRoutes),
        std::span<const NamedSchema>(kResponseComponents));
  visit(std::span<const RouteSchemas>(kAnthropicRoutes),
        std::span<const NamedSchema>(kAnthropicComponents));
  visit(std::span<const RouteSchemas>(kNativeRoutes),
        std::span<const NamedSchema>(kNativeComponents));
}

json::value reference_to(std::string_view component) {
  return json::object{{"$ref", "#/components/schemas/" + std::string(component)}};
}

json::object json_content(json::value schema) {
  json::object media;
  media["schema"] = std::move(schema);
  json::object out;
  out["application/json"] = std::move(media);
  return out;
}

json::value error_schema(Speaks speaks) {
  switch (speaks) {
    case Speaks::kAnthropic:
      return reference_to("AnthropicError");
    case Speaks::kNative:
      return reference_to("NativeError");
    case Speaks::kShared:
      return json::object{
          {"anyOf", json::array{reference_to("Error"), reference_to("AnthropicError")}}};
    default:
      return reference_to("Error");
  }
}

json::object response_of(std::string_view description, json::object content) {
  json::object out{{"description", description}};
  out["content"] = std::move(content);
  return out;
}

template <class Visit>
void for_each_word(std::string_view words, const Visit& visit) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    visit(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

json::array parameters_of(const RouteSchemas& route) {
  json::array out;
  const auto add = [&](std::string_view name, std::string_view place, bool is_required) {
    out.push_back(json::object{{"name", name},
                               {"in", place},
                               {"required", is_required},
                               {"schema", json::object{{"type", "string"}, {"minLength", 1}}}});
  };
  if (route.path.find("{id}") != std::string_view::npos) add("id", "path", true);
  for_each_word(route.query, [&](std::string_view name) { add(name, "query", false); });
  return out;
}

json::object answer_content(const RouteSchemas& route) {
  const json::object text{{"schema", json::object{{"type", "string"}}}};
  const json::object event{{"schema", reference_to("Event")}};
  if (route.response.empty() && route.forms.empty()) return {{"text/plain", text}};
  json::object content;
  if (!route.response.empty()) content = json_content(json::parse(route.response));
  if (route.is_streamable) content["text/event-stream"] = event;
  for_each_word(route.forms, [&](std::string_view type) { content[type] = text; });
  return content;
}

json::object operation_of(const Endpoint& endpoint, const RouteSchemas& route) {
  json::object responses{{"200", response_of("The answer.", answer_content(route))}};
  if (!route.forms.empty()) {
    responses["304"] = json::object{{"description", "The client has this form already."}};
  }
  json::object error = json_content(error_schema(endpoint.speaks));
  if (route.response.find("/Health") != std::string_view::npos) error = answer_content(route);
  responses["4XX"] = response_of("The request cannot be served as it is.", error);
  responses["5XX"] = response_of("The server cannot serve it now.", std::move(error));
  json::object out{{"summary", route.summary}, {"responses", std::move(responses)}};
  json::array parameters = parameters_of(route);
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!route.request.empty()) {
    out["requestBody"] =
        json::object{{"required", true}, {"content", json_content(json::parse(route.request))}};
  }
  if (endpoint.access == Access::kOpen) {
    out["security"] = json::array();
  } else {
    // A server without keys asks for none.
    out["security"] = json::array{json::object(), json::object{{"bearer", json::array()}}};
  }
  return out;
}

std::string lower(std::string_view method) {
  std::string out;
  for (const char c : method) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

}  // namespace

const RouteSchemas* find_schemas(std::string_view method, std::string_view path) noexcept {
  const RouteSchemas* found = nullptr;
  for_each_room([&](std::span<const RouteSchemas> routes, std::span<const NamedSchema>) {
    for (const RouteSchemas& route : routes) {
      if (route.method == method && route.path == path) found = &route;
    }
  });
  return found;
}

std::string describe_api(std::span<const Endpoint> endpoints) {
  json::object paths;
  for (const Endpoint& endpoint : endpoints) {
    const RouteSchemas* const route = find_schemas(endpoint.method, endpoint.path);
    if (route == nullptr) continue;
    json::value& item = paths[json::string_view(endpoint.path.data(), endpoint.path.size())];
    if (!item.is_object()) item = json::object();
    item.get_object()[lower(endpoint.method)] = operation_of(endpoint, *route);
  }
  json::object schemas;
  for_each_room([&](std::span<const RouteSchemas>, std::span<const NamedSchema> components) {
    for (const NamedSchema& component : components) {
      schemas[component.name] = json::parse(component.schema);
    }
  });
  json::object info{{"title", "vernal"}, {"version", VERNAL_HTTP_VERSION}};
  json::object bearer{{"type", "http"}, {"scheme", "bearer"}};
  json::object components{{"schemas", std::move(schemas)},
                          {"securitySchemes", json::object{{"bearer", std::move(bearer)}}}};
  return to_text(json::object{{"openapi", "3.1.0"},
                              {"info", std::move(info)},
                              {"paths", std::move(paths)},
                              {"components", std::move(components)}});
}

}  // namespace vernal::openai_http
