// Whom the frontend answers: names it is called by, pages of other origins, and what they send.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "http_frontend.hpp"
#include "openai_http/http/caller_policy.hpp"
#include "openai_http/http/cors.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http::testing {
namespace {

constexpr const char* kJson = "Content-Type: application/json\r\n";

std::string host(const std::string& name) { return "Host: " + name + "\r\n"; }
std::string origin(const std::string& text) { return "Origin: " + text + "\r\n"; }

TEST(HostPolicy, KnowsTheNamesOfTheLoopbackInterface) {
  const HostPolicy policy({});
  for (const char* const name :
       {"localhost", "LocalHost:8080", "localhost.", "app.localhost:1", "127.0.0.1", "127.0.0.1:80",
        "127.8.9.1", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:1", "192.168.0.7:8080", ""}) {
    EXPECT_TRUE(policy.accepts(name, "192.168.0.7")) << name;
  }
  for (const char* const name : {"evil.example", "evil.example:8080", "localhost.evil.example",
                                 "notlocalhost", "127.0.0.1.evil", "192.168.0.8", "10.0.0.1:80",
                                 "[::2]", "0x7f000001", "2130706433", "*", "[", ":"}) {
    EXPECT_FALSE(policy.accepts(name, "192.168.0.7")) << name;
  }
}

TEST(HostPolicy, KnowsTheNamesOfItsList) {
  const HostPolicy policy({"Vernal.lan", "fd00::1", "[fd00::2]:80"});
  EXPECT_TRUE(policy.accepts("vernal.lan:8080", ""));
  EXPECT_TRUE(policy.accepts("[fd00::1]:8080", ""));
  EXPECT_TRUE(policy.accepts("[fd00::2]", ""));
  EXPECT_FALSE(policy.accepts("other.lan", ""));
  EXPECT_TRUE(HostPolicy({"*"}).accepts("other.lan", ""));
}

TEST(ContentType, SaysJson) {
  for (const char* const type : {"application/json", "Application/JSON; charset=utf-8",
                                 " application/json ", "application/vnd.x+json"}) {
    EXPECT_TRUE(says_json(type)) << type;
  }
  for (const char* const type :
       {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
        "text/plain; application/json", "application/jsonp", "text/x+json"}) {
    EXPECT_FALSE(says_json(type)) << type;
  }
}

TEST(CorsPolicy, LetsForeignPagesWorkWhereTheyAreListed) {
  const CorsPolicy some({"http://a"});
  EXPECT_TRUE(some.lets_work("http://a", "h"));
  EXPECT_FALSE(some.lets_work("http://b", "h"));
  EXPECT_FALSE(some.lets_work("null", "h"));
  EXPECT_TRUE(some.lets_work("http://localhost:80", "localhost:80"));
  EXPECT_FALSE(some.lets_work("http://localhost:81", "localhost:80"));
  EXPECT_TRUE(some.lets_work("https://vernal.lan", "vernal.lan"));  // behind a proxy that encrypts
  EXPECT_FALSE(some.lets_work("ftp://vernal.lan", "vernal.lan"));
  EXPECT_TRUE(CorsPolicy({"*"}).lets_work("http://b", "h"));
}

// DNS rebinding: a page's own name, pointed at this machine.
TEST_F(HttpFrontend, DoesNotAnswerToAForeignName) {
  start();
  for (const char* const path : {"/health", "/v1/models", "/nope"}) {
    const RawAnswer answer = get(path, host("evil.example:8080"));
    EXPECT_EQ(answer.status, 403) << path;
    EXPECT_EQ(error_of(answer).at("code"), "host_not_allowed");
  }
  EXPECT_EQ(post(kChatPath, kChat, host("evil.example") + kJson).status, 403);
  EXPECT_TRUE(engine_.records().empty());
  EXPECT_EQ(post(kChatPath, kChat, host("localhost:8080")).status, 200);
  EXPECT_EQ(post(kChatPath, kChat, host("127.0.0.1")).status, 200);
}

TEST_F(HttpFrontend, AnswersToTheNamesOfItsTable) {
  start({{"hosts", std::vector<std::string>{"vernal.lan"}}});
  EXPECT_EQ(get("/v1/models", host("vernal.lan:8080")).status, 200);
  EXPECT_EQ(get("/v1/models", host("other.lan")).status, 403);
}

TEST_F(HttpFrontend, RefusesHostsThatCouldNeverMatch) {
  for (const char* const wrong : {"", "http://vernal.lan", "vernal lan", "*.lan", "a/b", "[]"}) {
    EXPECT_THROW(start({{"hosts", std::vector<std::string>{wrong}}}), Error) << wrong;
  }
}

TEST_F(HttpFrontend, WithKeysAnyNameWillDo) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("vernal_caller_keys_" + std::to_string(getpid()));
  std::ofstream(path) << "secret\n";
  start({{"api_keys_file", path}});
  std::filesystem::remove(path);
  EXPECT_EQ(get("/v1/models", host("any.example") + "x-api-key: secret\r\n").status, 200);
  EXPECT_EQ(get("/v1/models", host("any.example")).status, 401);
}

TEST_F(HttpFrontend, DoesNotWorkForForeignPages) {
  start({{"cors_origins", std::vector<std::string>{"http://trusted:3000"}}});
  const std::string completion = R"({"model":"tiny","prompt":"a"})";
  for (const char* const page : {"http://evil.example", "null", "http://trusted"}) {
    const RawAnswer answer = post(kChatPath, kChat, origin(page) + kJson);
    EXPECT_EQ(answer.status, 403) << page;
    EXPECT_EQ(error_of(answer).at("code"), "origin_not_allowed");
    EXPECT_EQ(post("/v1/completions", completion, origin(page) + kJson).status, 403);
    EXPECT_EQ(post("/v1/messages/count_tokens", kChat, origin(page) + kJson).status, 403);
    EXPECT_EQ(get("/v1/models", origin(page)).status, 200);
  }
  EXPECT_TRUE(engine_.records().empty());
  EXPECT_EQ(post(kChatPath, kChat, origin("http://trusted:3000") + kJson).status, 200);
  EXPECT_EQ(post(kChatPath, kChat, origin("http://localhost") + kJson).status, 200);
  EXPECT_EQ(post(kChatPath, kChat).status, 200);
}

// A form can send text without asking first; it cannot say JSON.
TEST_F(HttpFrontend, APageHasToSayJson) {
  start();
  for (const char* const type : {"", "Content-Type: text/plain\r\n",
                                 "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    const RawAnswer answer = post(kChatPath, kChat, origin("http://a") + type);
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_EQ(error_of(answer).at("code"), "unsupported_media_type");
    EXPECT_EQ(post(kChatPath, kChat, type).status, 200) << "curl sends no Origin";
  }
  EXPECT_EQ(post(kChatPath, kChat, origin("http://a") + kJson).status, 200);
}

}  // namespace
}  // namespace vernal::openai_http::testing
