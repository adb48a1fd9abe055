// The description of the API names every route, and nothing else.
#include "openai_http/server/api_description.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "openai_http/server/routes.hpp"
#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

/// All names that "$ref" members of a document point to.
void collect_references(const json::value& value, std::set<std::string>& out) {
  if (const auto* const object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref") out.insert(std::string(member.as_string()));
      collect_references(member, out);
    }
  } else if (const auto* const array = value.if_array()) {
    for (const json::value& element : *array) collect_references(element, out);
  }
}

TEST_F(HttpFrontend, DescribesEveryRoute) {
  start();
  const RawAnswer answer = get("/openapi.json");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  const json::value document = json::parse(answer.body);
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  std::size_t num_operations = 0;
  for (const auto& [path, item] : document.at("paths").as_object()) {
    num_operations += item.as_object().size();
  }
  EXPECT_EQ(num_operations, all_endpoints().size());
  const json::value& chat = document.at("paths").at("/v1/chat/completions").at("post");
  const json::value& content = chat.at("responses").at("200").at("content");
  EXPECT_EQ(content.at("text/event-stream").at("schema").at("$ref"), "#/components/schemas/Event");
  for (const Endpoint& endpoint : all_endpoints()) {
    EXPECT_NE(find_schemas(endpoint.method, endpoint.path), nullptr)
        << endpoint.method << " " << endpoint.path << " has no schemas";
  }
}

TEST_F(HttpFrontend, RefersOnlyToSchemasThatAreThere) {
  start();
  const json::value document = json::parse(get("/openapi.json").body);
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_GT(references.size(), 10U);
  const json::object& schemas = document.at("components").at("schemas").as_object();
  for (const std::string& reference : references) {
    const std::string prefix = "#/components/schemas/";
    ASSERT_TRUE(reference.starts_with(prefix)) << reference;
    EXPECT_TRUE(schemas.contains(reference.substr(prefix.size()))) << reference;
  }
}

// With response_fields a client gets the members that it names, and none if it names what is not there.
TEST_F(HttpFrontend, RequiresNoMemberOfANativeAnswer) {
  start();
  const RawAnswer answer =
      post("/completion", R"({"model":"tiny","prompt":"A","response_fields":["nothing"]})");
  EXPECT_EQ(answer.body, "{}");
  const json::value document = json::parse(get("/openapi.json").body);
  const json::value& choice = document.at("components").at("schemas").at("NativeChoice");
  EXPECT_FALSE(choice.as_object().contains("required"));
}

}  // namespace
}  // namespace vernal::openai_http::testing
