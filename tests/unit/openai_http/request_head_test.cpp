#include "openai_http/http/request_head.hpp"

#include <gtest/gtest.h>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <string>
#include <vector>

namespace vernal::openai_http {
namespace {

namespace http = boost::beast::http;

constexpr std::uint64_t kMaxBody = 1000;
constexpr unsigned kUnfinished = 499;

/// The status of the refusal; 200 if the head is accepted.
unsigned status_of(const std::string& bytes, RequestHead* out = nullptr) {
  try {
    check_head_bytes(bytes, HeadLimits{});
    http::request_parser<http::empty_body> parser;
    parser.header_limit(1U << 20);
    parser.body_limit(boost::none);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(bytes), error);
    if (error == http::error::need_more && !parser.is_header_done()) return kUnfinished;
    if (!parser.is_header_done()) return 400;  // refused by the parser itself
    const RequestHead head = validate_request(parser.get(), kMaxBody);
    if (out != nullptr) *out = head;
    return 200;
  } catch (const RequestRefused& refused) {
    EXPECT_GE(refused.error().message.size(), 30U);
    return refused.error().status;
  }
}

std::string get(const std::string& headers) {
  return "GET /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

TEST(RequestHead, AcceptsOrdinaryRequests) {
  RequestHead head;
  EXPECT_EQ(status_of("GET /v1/models?x=1%202 HTTP/1.1\r\nHost: localhost:8000\r\n\r\n", &head),
            200U);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.path, "/v1/models");
  EXPECT_EQ(head.query, "x=1%202");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.has_body());
}

TEST(RequestHead, DecodesThePathOnce) {
  RequestHead head;
  EXPECT_EQ(status_of("GET /v1/models/org%2Fname%3A1%2525 HTTP/1.1\r\nHost: a\r\n\r\n", &head),
            200U);
  EXPECT_EQ(head.path, "/v1/models/org/name:1%25");
}

TEST(RequestHead, TakesThePathOutOfAnAbsoluteTarget) {
  RequestHead head;
  EXPECT_EQ(status_of("GET http://h:1/health HTTP/1.1\r\nHost: h:1\r\n\r\n", &head), 200U);
  EXPECT_EQ(head.path, "/health");
}

TEST(RequestHead, KeepsConnectionsOpenAsTheVersionAsks) {
  RequestHead head;
  status_of("GET / HTTP/1.0\r\n\r\n", &head);
  EXPECT_FALSE(head.keep_alive);
  status_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &head);
  EXPECT_TRUE(head.keep_alive);
  status_of(get("Connection: x, close\r\n"), &head);
  EXPECT_FALSE(head.keep_alive);
}

TEST(RequestHead, ReadsFramingAndExpectation) {
  RequestHead head;
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n"
                      "Expect: 100-continue\r\n\r\n",
                      &head),
            200U);
  EXPECT_TRUE(head.chunked);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", &head), 200U);
  EXPECT_EQ(head.content_length, 1000U);
}

TEST(RequestHead, IsAcceptableWhereverItIsCut) {
  const std::string bytes = get("Content-Length: 5\r\nA: b\tc\r\n") + "hello";
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_NO_THROW(check_head_bytes(bytes.substr(0, size), HeadLimits{})) << size;
  }
}

TEST(RequestHead, FindsTheEndOfTheHead) {
  EXPECT_EQ(end_of_head("GET / HTTP/1.1\r\n"), std::nullopt);
  EXPECT_EQ(end_of_head("a\r\n\r\nb"), 5U);
}

struct Case {
  const char* name;
  std::string bytes;
  unsigned status;
};

class MalformedHead : public ::testing::TestWithParam<Case> {};

TEST_P(MalformedHead, IsRefused) { EXPECT_EQ(status_of(GetParam().bytes), GetParam().status); }

std::vector<Case> malformed_heads() {
  using namespace std::string_literals;
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  return {
      {"TlsClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01"s, 400},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"Http09", "GET /\r\n", 400},
      {"Http3", "GET / HTTP/3.0\r\n\r\n", 505},
      {"LowerCaseProtocol", "GET / http/1.1\r\n\r\n", 400},
      {"NoVersion", "GET /x\r\nHost: a\r\n\r\n", 400},
      {"NoMethod", " / HTTP/1.1\r\n", 400},
      {"EmptyFirstWord", "\t/ HTTP/1.1\r\n", 400},
      {"MethodOf100Letters", std::string(100, 'A') + " / HTTP/1.1\r\n\r\n", 400},
      {"MethodWithControl", "GE\x01T / HTTP/1.1\r\n", 400},
      {"TwoSpaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"SpaceInTarget", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NulInTarget", "GET /\0 HTTP/1.1\r\n"s, 400},
      {"BareCrInFirstLine", "GET /\rx HTTP/1.1\r\n", 400},
      {"BareLfInFirstLine", "GET / HTTP/1.1\nHost: a\n\n\r\n", 400},
      {"LongTarget", "GET /" + std::string(100'000, 'a'), 414},
      {"TargetWithFragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"TargetWithHighBytes", "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"TargetWithoutSlash", "GET abc HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"BrokenEscape", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"EscapeThatIsNoNumber", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"EncodedNul", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"EncodedBrokenUtf8", "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"AsteriskOfGet", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
      {"TwoHosts", get("Host: b\r\n"), 400},
      {"HostWithSlash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"HostWithUser", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"FoldedHeader", get("A: b\r\n c\r\n"), 400},
      {"SpaceBeforeColon", get("A : b\r\n"), 400},
      {"NoColon", get("Abc\r\n"), 400},
      {"EmptyName", get(": b\r\n"), 400},
      {"NulInValue", get("A: b\0c\r\n"s), 400},
      {"BareCrInValue", get("A: b\rc\r\n"), 400},
      {"BareLfInValue", get("A: b\nC: d\r\n"), 400},
      {"DelInValue", get("A: b\x7F\r\n"), 400},
      {"NameWithHighBytes", get("\xC3\xA4: b\r\n"), 400},
      {"HeadOf100Kilobytes", get("A: " + std::string(100'000, 'a')), 431},
      {"UnfinishedLongHead", "GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a'), 431},
      {"ManyHeaders", get([] {
         std::string lines;
         for (int i = 0; i < 300; ++i) lines += "A: b\r\n";
         return lines;
       }()),
       431},
      {"TwoLengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"NegativeLength", post + "Content-Length: -1\r\n\r\n", 400},
      {"SignedLength", post + "Content-Length: +1\r\n\r\n", 400},
      {"HexLength", post + "Content-Length: 0x1\r\n\r\n", 400},
      {"LengthList", post + "Content-Length: 1, 1\r\n\r\n", 400},
      {"EmptyLength", post + "Content-Length: \r\n\r\n", 400},
      {"LengthBeyond64Bits", post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {"LengthBeyondLimit", post + "Content-Length: 1001\r\n\r\n", 413},
      {"LengthOf8GiB", post + "Content-Length: 8589934592\r\n\r\n", 413},
      {"LengthAndChunked", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"ChunkedTwice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"ChunkedNotLast", post + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"GzipThenChunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"UnknownCoding", post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"CodingWithTrick", post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"UnknownEncoding", post + "Content-Encoding: br\r\nContent-Length: 5\r\n\r\n", 415},
      {"UnknownExpectation", post + "Expect: 200-ok\r\nContent-Length: 5\r\n\r\n", 417},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, MalformedHead, ::testing::ValuesIn(malformed_heads()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(RequestHead, NeverAcceptsAPrefixOfAMalformedHeadAsWhole) {
  for (const Case& c : malformed_heads()) {
    for (std::size_t size = 0; size < std::min<std::size_t>(c.bytes.size(), 300); ++size) {
      EXPECT_NE(status_of(c.bytes.substr(0, size)), 200U) << c.name << " " << size;
    }
  }
}

}  // namespace
}  // namespace vernal::openai_http
