// The page for browsers: who gets it, how it is kept, and that it comes whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "http_frontend.hpp"
#include "openai_http/page/page_files.hpp"
#include "openai_http/page/page_handlers.hpp"

namespace vernal::openai_http::testing {
namespace {

constexpr const char* kBrowser =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

TEST(Page, IsForClientsThatNameHtml) {
  for (const char* const accept : {"text/html", "Text/HTML;charset=utf-8",
                                   "application/json, text/html;q=0.1", " text/html "}) {
    EXPECT_TRUE(asks_for_html(accept)) << accept;
  }
  for (const char* const accept : {"", "*/*", "application/json", "text/*", "text/html;q=0",
                                   "text/html; q=0.000, */*", "text/htmlx", ",,;"}) {
    EXPECT_FALSE(asks_for_html(accept)) << accept;
  }
}

TEST(Page, KnowsAnEtagInAList) {
  for (const char* const header : {"\"a\"", "W/\"a\"", "\"b\", \"a\"", "*", "\"b\",W/\"a\" "}) {
    EXPECT_TRUE(has_etag(header, "\"a\"")) << header;
  }
  for (const char* const header : {"", "\"b\"", "a", "\"ab\"", "W/", ","}) {
    EXPECT_FALSE(has_etag(header, "\"a\"")) << header;
  }
}

TEST_F(HttpFrontend, ServesThePageToBrowsersAndJsonToPrograms) {
  start();
  const RawAnswer page = get("/", kBrowser);
  ASSERT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.headers.at("vary"), "Accept");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  const std::string& policy = page.headers.at("content-security-policy");
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  for (const char* const accept : {"", "Accept: */*\r\n", "Accept: application/json\r\n"}) {
    const RawAnswer probe = get("/", accept);
    EXPECT_EQ(probe.headers.at("content-type"), "application/json");
    EXPECT_EQ(json::parse(probe.body).at("name"), "vernal");
  }
}

// Whatever the page refers to is there, and it refers to nothing elsewhere.
TEST_F(HttpFrontend, ServesEveryFileThatThePageNames) {
  start();
  const std::string body = get("/", kBrowser).body;
  EXPECT_EQ(body.find("://"), std::string::npos);
  std::size_t num_files = 0;
  for (std::size_t at = body.find("\"page/"); at != std::string::npos;
       at = body.find("\"page/", at + 1)) {
    const std::string path = "/" + body.substr(at + 1, body.find('"', at + 1) - at - 1);
    EXPECT_EQ(get(path).status, 200) << path;
    ++num_files;
  }
  EXPECT_GE(num_files, 4U);
  for (const PageFile& file : page_files()) {
    const RawAnswer answer = get("/page/" + std::string(file.name));
    EXPECT_EQ(answer.status, 200) << file.name;
    EXPECT_EQ(answer.body, file.content);
    EXPECT_FALSE(answer.body.empty());
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  }
  EXPECT_EQ(get("/page/style.css").headers.at("content-type"), "text/css; charset=utf-8");
  for (const char* const path :
       {"/page/", "/page/nothing.js", "/page/../index.html", "/page/a/b"}) {
    const RawAnswer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(error_of(answer).at("code"), "unknown_url");
  }
}

TEST_F(HttpFrontend, SendsAFileOfThePageOnlyOnce) {
  start();
  const RawAnswer first = get("/page/app.js");
  const std::string etag = first.headers.at("etag");
  EXPECT_EQ(first.headers.at("cache-control"), "no-cache");
  const RawAnswer second = get("/page/app.js", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
  EXPECT_EQ(second.headers.at("etag"), etag);
  EXPECT_EQ(second.headers.at("content-length"), "");  // it has none
  EXPECT_EQ(get("/page/app.js", "If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_NE(get("/", kBrowser).headers.at("etag"), etag);
}

TEST_F(HttpFrontend, NeedsNoKeyForThePage) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("vernal_page_keys_" + std::to_string(getpid()));
  std::ofstream(path) << "secret\n";
  start({{"api_keys_file", path}});
  std::filesystem::remove(path);
  EXPECT_EQ(get("/", kBrowser).status, 200);
  EXPECT_EQ(get("/page/app.js").status, 200);
  EXPECT_EQ(get("/v1/models").status, 401);
}

TEST_F(HttpFrontend, HasNoPageIfTheDeploymentSaysSo) {
  start({{"page", std::int64_t{0}}});
  EXPECT_EQ(get("/", kBrowser).headers.at("content-type"), "application/json");
  EXPECT_EQ(get("/page/app.js").status, 404);
}

}  // namespace
}  // namespace vernal::openai_http::testing
