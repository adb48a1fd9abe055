// The frontend as a client sees it, over real sockets and a scripted engine:
// connections, bodies, limits.
#include <gtest/gtest.h>

#include <string>

#include "http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

TEST_F(HttpFrontend, ServesRequestsOnOneConnectionInOrder) {
  start();
  RawClient client(port());
  const std::string requests =
      request_text("POST", kChatPath, kStream) + request_text("GET", "/v1/models/tiny") +
      request_text("POST", kChatPath, kChat) + request_text("GET", "/health");
  client.send(requests);
  EXPECT_EQ(client.read_answer()->headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("id"), "tiny");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("object"), "chat.completion");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("status"), "ok");
}

TEST_F(HttpFrontend, KeepsTheConnectionAfterAnErrorInTheBody) {
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, "{broken"));
  EXPECT_EQ(client.read_answer()->status, 400);
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.read_answer()->status, 200);
}

TEST_F(HttpFrontend, TakesChunkedBodies) {
  start();
  RawClient client(port());
  const std::string body = kChat;
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n");
  for (const char c : body) client.send(std::string("1;x=y\r\n") + c + "\r\n");
  client.send("0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 200);
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.read_answer()->status, 200);
}

TEST_F(HttpFrontend, AnswersExpectationsBeforeTheBody) {
  start();
  RawClient client(port());
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nExpect: "
      "100-continue\r\nContent-Length: " +
      std::to_string(std::string(kChat).size()) + "\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 100);
  client.send(kChat);
  EXPECT_EQ(client.read_answer()->status, 200);
  client.send(
      "POST /nope HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "5\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 404);
  EXPECT_TRUE(client.is_closed_within(5s));
}

TEST_F(HttpFrontend, SpeaksHttp10) {
  start();
  RawClient client(port());
  client.send("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.read_answer()->headers.at("connection"), "close");
  EXPECT_TRUE(client.is_closed_within(5s));
  RawClient streaming(port());
  const std::string body = kStream;
  streaming.send(
      "POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(streaming.wait_for("data: [DONE]\n\n"));
  EXPECT_EQ(streaming.buffered().find("chunked"), std::string::npos);
  EXPECT_TRUE(streaming.is_closed_within(5s));
}

TEST_F(HttpFrontend, AnswersHeadWithoutABody) {
  start();
  RawClient client(port());
  client.send(request_text("HEAD", "/v1/models") + request_text("GET", "/health"));
  EXPECT_TRUE(client.wait_for("{\"status\":\"ok\"}"));
  EXPECT_EQ(client.buffered().find("\"object\""), std::string::npos);
}

TEST_F(HttpFrontend, TakesLargeBodiesElsewhere) {
  start();
  std::string content(1'000'000, 'x');
  const RawAnswer answer = post(
      kChatPath, R"({"model":"tiny","messages":[{"role":"user","content":")" + content + "\"}]}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_GT(engine_.records().at(0).document.size(), content.size());
}

TEST_F(HttpFrontend, RefusesBodiesThatAreTooLarge) {
  start({{"max_body", std::int64_t{2000}}});
  const RawAnswer declared = post(kChatPath, std::string(3000, 'x'));
  EXPECT_EQ(declared.status, 413);
  RawClient chunked(port());
  chunked.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunked.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(chunked.read_answer()->status, 413);
  EXPECT_TRUE(chunked.is_closed_within(5s));
}

TEST_F(HttpFrontend, ClosesConnectionsThatStayIdle) {
  start({{"idle_timeout", std::int64_t{100}}});
  RawClient client(port());
  EXPECT_TRUE(client.is_closed_within(2s));
}

// Common clients keep connections for up to 90 s, and those that ask go by Keep-Alive.
TEST_F(HttpFrontend, TellsHowLongAConnectionMayStayIdle) {
  start();
  RawClient client(port());
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.read_answer()->headers.at("keep-alive"), "timeout=120");
  client.send(request_text("GET", "/health", {}, "Connection: close\r\n"));
  const auto last = client.read_answer();
  EXPECT_EQ(last->headers.at("connection"), "close");
  EXPECT_EQ(last->headers.count("keep-alive"), 0U);
}

TEST_F(HttpFrontend, GivesSlowHeadsAndBodiesALimit) {
  start({{"header_timeout", std::int64_t{200}}, {"body_timeout", std::int64_t{200}}});
  RawClient head(port());
  head.send("GET / HT");
  EXPECT_EQ(head.read_answer(2s)->status, 408);
  RawClient body(port());
  body.send("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(body.read_answer(2s)->status, 408);
  EXPECT_TRUE(body.is_closed_within(5s));
}

TEST_F(HttpFrontend, AnswersConnectionsBeyondItsLimitWith503) {
  start({{"max_connections", std::int64_t{2}}});
  RawClient first(port());
  RawClient second(port());
  first.send(request_text("GET", "/health"));
  EXPECT_EQ(first.read_answer()->status, 200);
  second.send(request_text("GET", "/health"));
  EXPECT_EQ(second.read_answer()->status, 200);
  RawClient third(port());
  const auto refused = third.read_answer();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.count("retry-after"), 1U);
  first.close();
  EXPECT_TRUE(eventually([&] {
    const auto answer = fetch(port(), "GET", "/health");
    return answer && answer->status == 200;
  }));
}

}  // namespace
}  // namespace vernal::openai_http::testing
