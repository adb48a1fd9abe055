// Bytes that no client should send. In each case the server answers as the table says, or closes
// the connection, in time; then it answers /health at once. tests/integration/http_abuse.py has
// these cases and more, for any running server.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>

#include "frontend_fixture.hpp"
#include "raw_client.hpp"

namespace vernal::openai_http::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

struct Abuse {
  std::string name;
  std::string bytes;
  int status;              // of the first answer
  bool must_close = true;  // nothing after it is trusted
};

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string get(const std::string& headers) {
  return "GET /health HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

std::string post(const std::string& headers, const std::string& body = {}) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body;
}

std::string chat(const std::string& body) {
  return post("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

std::vector<Abuse> framing_abuses() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
      {"http2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"http 0.9", "GET /\r\n", 400},
      {"http 9.9", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505},
      {"binary noise", repeated("\xff\x00\xfe"s, 1000), 400},
      {"ssh banner", "SSH-2.0-OpenSSH_9.2\r\n", 400},
      {"smtp", "EHLO example.org\r\n", 400},
      {"only spaces", repeated(" ", 100), 400},
      {"only newlines", repeated("\n", 100), 400},
      {"empty method", " / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"method of 64 KiB", repeated("A", 65536), 400},
      {"target of 100 KB", "GET /" + repeated("a", 100'000) + " HTTP/1.1\r\n\r\n", 414},
      {"header of 100 KB", get("X: " + repeated("a", 100'000) + "\r\n"), 431},
      {"20000 headers", get(repeated("X: y\r\n", 20'000)), 431},
      {"header name of 40 KB", get(repeated("x", 40'000) + ": y\r\n"), 431},
      {"two hosts", get("Host: b\r\n"), 400},
      {"no host", "GET /health HTTP/1.1\r\n\r\n", 400},
      {"host with path", "GET /health HTTP/1.1\r\nHost: a/../b\r\n\r\n", 400},
      {"folded header", get("X: y\r\n z\r\n"), 400},
      {"space before colon", get("X : y\r\n"), 400},
      {"no colon", get("garbage\r\n"), 400},
      {"empty header name", get(": y\r\n"), 400},
      {"nul in header", get("X: a\0b\r\n"s), 400},
      {"bare cr in header", get("X: a\rb\r\n"), 400},
      {"bare lf line ends", "GET /health HTTP/1.1\nHost: localhost\n\n", 400},
      {"lf inside a value", get("X: a\nY: b\r\n"), 400},
      {"escape to nul", "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"broken escape", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"target with fragment", "GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"relative target", "GET health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"length and chunked", post("Content-Length: 5\r\n" + chunked, "0\r\n\r\n"), 400},
      {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), 400},
      {"equal lengths twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"length list", post("Content-Length: 5, 5\r\n", "hello"), 400},
      {"negative length", post("Content-Length: -5\r\n", "hello"), 400},
      {"signed length", post("Content-Length: +5\r\n", "hello"), 400},
      {"hex length", post("Content-Length: 0x5\r\n", "hello"), 400},
      {"empty length", post("Content-Length:\r\n", "hello"), 400},
      {"length of 2^70", post("Content-Length: 1180591620717411303424\r\n", "hello"), 400},
      {"length of 8 GiB", post("Content-Length: 8589934592\r\n", "hello"), 413},
      {"gzip coding", post("Transfer-Encoding: gzip\r\n", "hello"), 501},
      {"chunked not last", post("Transfer-Encoding: chunked, gzip\r\n", "hello"), 501},
      {"chunked twice", post(chunked + chunked, "0\r\n\r\n"), 400},
      {"coding with tab", post("Transfer-Encoding:\tx\tchunked\r\n", "0\r\n\r\n"), 501},
      {"chunked in http 1.0", "POST /v1/completions HTTP/1.0\r\n" + chunked + "\r\n0\r\n\r\n", 400},
      {"gzip body that is cut off",
       post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "\x1f\x8b\x08"), 400},
      {"odd expectation", post("Expect: the-moon\r\nContent-Length: 2\r\n", "{}"), 417},
      {"chunk size no number", post(chunked, "zz\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk size negative", post(chunked, "-5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk size beyond 64 bits", post(chunked, "fffffffffffffffff\r\nhello"), 400},
      {"chunk of 2^62 bytes", post(chunked, "4000000000000000\r\nhello"), 413},
      {"chunk longer than said", post(chunked, "3\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk without cr", post(chunked, "5\nhello\n0\n\n"), 408},
      {"chunk extension of 1 MiB", post(chunked, "1;" + repeated("x", 1 << 20)), 400},
      {"trailer of 1 MiB", post(chunked, "0\r\nX: " + repeated("y", 1 << 20)), 400},
      {"chunk flood", post(chunked, repeated("1\r\n \r\n", 50'000)), 413},
      {"smuggled request", post("Content-Length: 2\r\n", "{}GET /health HTTP/1.1\r\n\r\n"), 400,
       false},
  };
}

std::vector<Abuse> content_abuses() {
  const std::string head = R"({"model":"tiny","messages":[{"role":"user","content":)";
  return {
      {"no body", post("Content-Length: 0\r\n"), 400, false},
      {"no length", post(""), 400, false},
      {"empty object", chat("{}"), 400, false},
      {"broken json", chat("{\"model\": "), 400, false},
      {"array", chat("[]"), 400, false},
      {"bom", chat("\xEF\xBB\xBF{}"), 400, false},
      {"utf-16", chat("{\0}\0"s), 400, false},
      {"nul bytes", chat("\0\0\0\0"s), 400, false},
      {"bad utf-8", chat(head + "\"\xff\xfe\"}]}"), 400, false},
      {"lone surrogate", chat(head + R"("\ud800"}]})"), 400, false},
      {"depth 100000", chat(repeated("[", 30'000)), 400, false},
      {"depth inside tools",
       chat(head + R"("x"}],"tools":)" + repeated("[", 500) + repeated("]", 500) + "}"), 400,
       false},
      {"number 1e999", chat(head + R"("x"}],"temperature":1e999})"), 400, false},
      {"number of 10000 digits", chat(head + R"("x"}],"seed":)" + repeated("9", 10'000) + "}"), 400,
       false},
      {"nan", chat(head + R"("x"}],"temperature":NaN})"), 400, false},
      {"temperature as text", chat(head + R"("x"}],"temperature":"hot"})"), 400, false},
      {"n of a million", chat(head + R"("x"}],"n":1000000})"), 400, false},
      {"million stops", chat(head + R"("x"}],"stop":[)" + repeated("\"a\",", 5000) + "\"a\"]}"),
       400, false},
      {"image from a file",
       chat(R"({"model":"tiny","messages":[{"role":"user","content":[{"type":"image_url",)"
            R"("image_url":{"url":"file:///etc/passwd"}}]}]})"),
       400, false},
      {"unknown model",
       chat(R"({"model":"../../etc/passwd","messages":[{"role":"user",)"
            R"("content":"x"}]})"),
       404, false},
      {"model with escapes",
       chat(R"({"model":"\u0000\u001b[31m","messages":[{"role":"user",)"
            R"("content":"x"}]})"),
       404, false},
      {"get with body", "GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
       200, false},
      {"delete", "DELETE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
      {"trace", "TRACE /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
      {"path traversal", "GET /v1/models/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404,
       false},
      {"cors header with junk",
       "OPTIONS /x HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Headers: "
       "\"<script>\r\n\r\n",
       204, false},
      {"upgrade", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), 200, false},
      {"range", get("Range: bytes=0-0,1-1,2-2\r\n"), 200, false},
  };
}

class HttpAbuse : public ::testing::Test {
 protected:
  void expect_answer(const Abuse& abuse) {
    RawClient client(frontend_.port());
    client.send(abuse.bytes);
    const auto answer = client.read_answer(5s);
    ASSERT_TRUE(answer) << abuse.name << ": no answer";
    EXPECT_EQ(answer->status, abuse.status) << abuse.name << ": " << answer->body;
    if (abuse.must_close) {
      EXPECT_EQ(answer->headers.count("connection"), 1U) << abuse.name;
      client.shut_down_sending();
      EXPECT_TRUE(client.is_closed_within(5s)) << abuse.name;
    }
    const auto health = fetch(frontend_.port(), "GET", "/health");
    ASSERT_TRUE(health) << abuse.name;
    EXPECT_EQ(health->status, 200) << abuse.name;
  }

  MockEngine engine_;
  RunningFrontend frontend_{engine_,
                            {{"max_body", std::int64_t{40'000}},
                             {"header_timeout", std::int64_t{2000}},
                             {"body_timeout", std::int64_t{2000}}}};
};

TEST_F(HttpAbuse, OfTheFramingIsRefusedAndTheConnectionClosed) {
  for (const Abuse& abuse : framing_abuses()) expect_answer(abuse);
  EXPECT_TRUE(engine_.records().empty());
}

TEST_F(HttpAbuse, OfTheContentIsAnswered) {
  for (const Abuse& abuse : content_abuses()) expect_answer(abuse);
  EXPECT_TRUE(engine_.records().empty());
}

TEST_F(HttpAbuse, ByEveryPrefixOfARequestEndsInTime) {
  const std::string request =
      chat(R"({"model":"tiny","messages":[{"role":"user","content":"x"}]})");
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t size = 1; size < request.size(); ++size) {
    clients.push_back(std::make_unique<RawClient>(frontend_.port()));
    clients.back()->send(request.substr(0, size));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const auto answer = clients[i]->read_answer(5s);
    ASSERT_TRUE(answer) << "after " << i + 1 << " bytes";
    EXPECT_EQ(answer->status, 408) << "after " << i + 1 << " bytes: " << answer->body;
  }
  clients.clear();
  EXPECT_EQ(fetch(frontend_.port(), "GET", "/health")->status, 200);
}

TEST_F(HttpAbuse, ByClientsThatHangUpAtAnyByteLeavesNothingBehind) {
  const std::string request =
      chat(R"({"model":"tiny","messages":[{"role":"user","content":"x"}]})");
  for (std::size_t size = 0; size <= request.size(); ++size) {
    RawClient client(frontend_.port());
    client.send(request.substr(0, size));
  }
  EXPECT_TRUE(engine_.wait_until_idle(2s));
  EXPECT_EQ(fetch(frontend_.port(), "GET", "/health")->status, 200);
}

TEST_F(HttpAbuse, BySlowBytesIsCutOff) {
  RawClient head(frontend_.port());
  RawClient body(frontend_.port());
  body.send(post("Content-Length: 1000\r\n"));
  const std::string line = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + repeated("y", 100);
  std::size_t sent = 0;
  for (; sent < line.size(); ++sent) {
    std::this_thread::sleep_for(30ms);
    if (!head.send(line.substr(sent, 1)) || !body.send(" ")) break;
    if (head.wait_for("408", 0ms) && body.wait_for("408", 0ms)) break;
  }
  EXPECT_LT(sent, line.size());
}

}  // namespace
}  // namespace vernal::openai_http::testing
