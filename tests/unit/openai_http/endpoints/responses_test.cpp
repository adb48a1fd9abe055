// The Responses API over HTTP: what is stored, whose it is, and how overflows are told.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temporary_folder.hpp"
#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

constexpr const char* kPath = "/v1/responses";

Script script_of(std::vector<MockEvent> events) {
  Script script;
  script.events = std::move(events);
  return script;
}

class Responses : public HttpFrontend {
 protected:
  json::value respond(const std::string& members, std::string_view headers = {}) {
    const RawAnswer answer = post(kPath, R"({"model":"tiny",)" + members + "}", headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  static std::string id_of(const json::value& response) {
    return std::string(response.at("id").as_string());
  }
  static std::string path_of(const json::value& response, std::string_view more = {}) {
    return std::string(kPath) + "/" + id_of(response) + std::string(more);
  }
  json::value last_messages() const {
    return json::parse(engine_.records().back().document).at("messages");
  }
};

TEST_F(Responses, AreAnsweredAsDocumentAndAsStream) {
  start();
  const json::value document = respond(R"("input":"hi","store":false)");
  EXPECT_EQ(document.at("output").at(0).at("content").at(0).at("text"), "Hello");
  EXPECT_EQ(document.at("model"), "tiny");
  const RawAnswer stream = post(kPath, R"({"model":"tiny","input":"hi","stream":true})");
  EXPECT_EQ(stream.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(stream.body.find("[DONE]"), std::string::npos);
  const json::value last = json::parse(event_data(stream.body).back());
  EXPECT_EQ(last.at("type"), "response.completed");
  EXPECT_EQ(last.at("response").at("output").at(0).at("content").at(0).at("text"), "Hello");
  // A stream is stored too.
  EXPECT_EQ(json::parse(get(path_of(last.at("response"))).body), last.at("response"));
}

TEST_F(Responses, AreThereUntilTheyAreDeleted) {
  start();
  const json::value response = respond(R"("input":"hi","metadata":{"a":"b"})");
  EXPECT_EQ(json::parse(get(path_of(response)).body), response);
  EXPECT_EQ(get(path_of(response, "?stream=true")).status, 400);
  const RawAnswer deleted = expect_answer(fetch(port(), "DELETE", path_of(response)));
  EXPECT_EQ(deleted.body,
            R"({"id":")" + id_of(response) + R"(","object":"response","deleted":true})");
  for (const std::string_view method : {"GET", "DELETE"}) {
    const RawAnswer gone = expect_answer(fetch(port(), method, path_of(response)));
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(error_of(gone).at("code"), "response_not_found");
  }
  EXPECT_EQ(get(path_of(respond(R"("input":"hi","store":false)"))).status, 404);
}

TEST_F(Responses, GoOnFromEachOther) {
  start();
  const json::value first = respond(R"("input":"one","instructions":"old")");
  const json::value second = respond(
      R"("input":"two","instructions":"new","previous_response_id":")" + id_of(first) + "\"");
  EXPECT_EQ(second.at("previous_response_id").as_string(), id_of(first));
  EXPECT_EQ(last_messages(), json::parse(R"([{"role":"system","content":"new"},
      {"role":"user","content":"one"},{"role":"assistant","content":"Hello"},
      {"role":"user","content":"two"}])"));
  // The first may go; what the second was made from stays.
  EXPECT_EQ(fetch(port(), "DELETE", path_of(first))->status, 200);
  respond(R"("input":"three","previous_response_id":")" + id_of(second) + "\"");
  EXPECT_EQ(last_messages().as_array().size(), 5U);
  const RawAnswer unknown =
      post(kPath, R"({"model":"tiny","input":"x","previous_response_id":"resp_nope"})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("code"), "previous_response_not_found");
  EXPECT_EQ(error_of(unknown).at("param"), "previous_response_id");
}

TEST_F(Responses, ListWhatTheyWereMadeFrom) {
  start();
  const json::value first = respond(R"("input":[{"role":"user","content":"one"},
      {"id":"msg_b","role":"user","content":"two"}])");
  const json::value second =
      respond(R"("input":"three","previous_response_id":")" + id_of(first) + "\"");
  const auto texts = [&](std::string_view query) {
    const json::value list =
        json::parse(get(path_of(second, "/input_items" + std::string(query))).body);
    std::string out;
    for (const json::value& item : list.at("data").as_array()) {
      out += item.at("content").at(0).at("text").as_string();
      out += ' ';
    }
    return out + (list.at("has_more").as_bool() ? "..." : ".");
  };
  EXPECT_EQ(texts(""), "three Hello two one .");
  EXPECT_EQ(texts("?order=asc&limit=2"), "one two ...");
  EXPECT_EQ(texts("?order=asc&after=msg_b"), "Hello three .");
  for (const char* const bad : {"?limit=0", "?limit=x", "?order=up", "?after=msg_none"}) {
    EXPECT_EQ(get(path_of(second, "/input_items" + std::string(bad))).status, 400) << bad;
  }
  EXPECT_EQ(get("/v1/responses/resp_nope/input_items").status, 404);
}

TEST_F(Responses, BelongToTheKeyOfTheirClient) {
  const vernal::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "keys").string();
  std::ofstream(path) << "first\nsecond\n";
  start({{"api_keys_file", path}});
  const std::string_view first = "Authorization: Bearer first\r\n";
  const std::string_view second = "x-api-key: second\r\n";
  const json::value response = respond(R"("input":"hi")", first);
  EXPECT_EQ(get(path_of(response), first).status, 200);
  EXPECT_EQ(get(path_of(response), "x-api-key: first\r\n").status, 200);
  EXPECT_EQ(get(path_of(response), second).status, 404);
  EXPECT_EQ(get(path_of(response)).status, 401);
  EXPECT_EQ(fetch(port(), "DELETE", path_of(response), {}, second)->status, 404);
  const std::string next =
      R"({"model":"tiny","input":"x","previous_response_id":")" + id_of(response) + "\"}";
  EXPECT_EQ(post(kPath, next, second).status, 404);
  EXPECT_EQ(post(kPath, next, first).status, 200);
}

TEST_F(Responses, AreKeptWithinLimits) {
  start({{"stored_responses", std::int64_t{1}}});
  const json::value first = respond(R"("input":"one")");
  const json::value second = respond(R"("input":"two")");
  EXPECT_EQ(get(path_of(first)).status, 404);
  EXPECT_EQ(get(path_of(second)).status, 200);
  EXPECT_NE(get("/metrics").body.find("vernal_http_stored_responses 1\n"), std::string::npos);
}

TEST_F(Responses, AreNotStoredWhereTheDeploymentSaysSo) {
  start({{"stored_responses", std::int64_t{0}}});
  const json::value response = respond(R"("input":"one","store":true)");
  EXPECT_EQ(response.at("store"), false);
  EXPECT_EQ(get(path_of(response)).status, 404);
}

TEST_F(Responses, OfPromptsThatAreTooLongAreRefusedButForCodex) {
  MockEvent overflow =
      failed(VERNAL_CONTEXT_OVERFLOW, "This model's maximum context length is 8 tokens.", 400);
  overflow.error_code = "context_length_exceeded";
  overflow.param = "messages";
  overflow.prompt_tokens = 9;
  overflow.context_length = 8;
  engine_.play(script_of({overflow}));
  start();
  const char* const streamed = R"({"model":"tiny","input":"long","stream":true})";
  const char* const plain = R"({"model":"tiny","input":"long"})";
  for (const std::string_view headers : {"User-Agent: OpenAI/Python 2.24.0\r\n", ""}) {
    const RawAnswer refused = post(kPath, streamed, headers);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(error_of(refused).at("code"), "context_length_exceeded");
    EXPECT_EQ(error_of(refused).at("param"), "input");
  }
  for (const std::string_view headers :
       {"User-Agent: codex_cli_rs/0.50.0\r\n", "originator: codex_exec\r\n"}) {
    EXPECT_EQ(post(kPath, plain, headers).status, 400);
    const RawAnswer answer = post(kPath, streamed, headers);
    EXPECT_EQ(answer.status, 200);
    const std::vector<std::string> events = event_data(answer.body);
    EXPECT_EQ(json::parse(events.front()).at("type"), "response.created");
    const json::value last = json::parse(events.back());
    EXPECT_EQ(last.at("type"), "response.failed");
    EXPECT_EQ(last.at("response").at("error").at("code"), "context_length_exceeded");
  }
}

TEST_F(Responses, ThatFailLaterSayItInTheStream) {
  engine_.play(script_of({accepted(), delta("half"), failed(VERNAL_INTERNAL, "a step failed")}));
  start();
  const RawAnswer answer = post(kPath, R"({"model":"tiny","input":"hi","stream":true})");
  const json::value last = json::parse(event_data(answer.body).back());
  EXPECT_EQ(last.at("type"), "response.failed");
  EXPECT_EQ(last.at("response").at("error").at("code"), "server_error");
  EXPECT_EQ(get(path_of(last.at("response"))).status, 404);
}

TEST_F(Responses, NameTheFormatAsTheirClientsDo) {
  MockEvent refusal =
      failed(VERNAL_UNSUPPORTED, "Unsupported parameter: 'format' has no automaton.", 400);
  refusal.error_code = "unsupported_parameter";
  refusal.param = "format";
  engine_.play(script_of({refusal}));
  start();
  const RawAnswer answer = post(kPath, R"({"model":"tiny","input":"hi"})");
  EXPECT_EQ(error_of(answer).at("param"), "text.format");
  EXPECT_NE(answer.body.find("'text.format' has"), std::string::npos);
}

TEST_F(Responses, AreCounted) {
  start();
  const RawAnswer answer = post("/v1/responses/input_tokens", R"({"model":"tiny","input":"hi"})");
  EXPECT_EQ(answer.status, 200);
  const json::value count = json::parse(answer.body);
  EXPECT_EQ(count.at("object"), "response.input_tokens");
  EXPECT_GT(count.at("input_tokens").as_int64(), 0);
}

}  // namespace
}  // namespace vernal::openai_http::testing
