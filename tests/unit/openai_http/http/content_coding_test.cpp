// Bodies that come compressed: each coding alone, and through the server.
#include "openai_http/http/content_coding.hpp"

#include <gtest/gtest.h>

#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "unit/openai_http/http/encoded_bodies.hpp"
#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

/// What `bytes` decode to if they come in pieces of `size`.
std::string decoded(ContentCoding coding, std::string_view bytes, std::size_t size) {
  const auto decoder = make_body_decoder(coding);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    decoder->put(bytes.substr(at, size), [&](std::string_view text) { out += text; });
  }
  EXPECT_TRUE(decoder->is_complete());
  return out;
}

/// Text that does not compress to nothing.
std::string long_text() {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(i * 7919) + " ";
  return text;
}

TEST(ContentCoding, IsFoundByNameInAnyCase) {
  EXPECT_EQ(find_content_coding("GZip"), ContentCoding::kGzip);
  EXPECT_EQ(find_content_coding("x-gzip"), ContentCoding::kGzip);
  EXPECT_EQ(find_content_coding("ZSTD"), ContentCoding::kZstd);
  EXPECT_EQ(find_content_coding("identity"), ContentCoding::kIdentity);
  for (const char* const other : {"br", "deflate", "gzip, zstd", "", "zst"}) {
    EXPECT_FALSE(find_content_coding(other)) << other;
  }
}

TEST(BodyDecoder, GivesTheSameHoweverTheBytesCome) {
  const std::string text = long_text();
  const std::string as_gzip = gzip(text);
  const std::string as_zstd = zstd(text);
  for (const std::size_t size : {std::size_t{1}, std::size_t{997}, std::size_t{1} << 30}) {
    EXPECT_EQ(decoded(ContentCoding::kGzip, as_gzip, size), text);
    EXPECT_EQ(decoded(ContentCoding::kZstd, as_zstd, size), text);
  }
}

TEST(BodyDecoder, TakesSeveralMembersAndFrames) {
  EXPECT_EQ(decoded(ContentCoding::kGzip, gzip("one ") + gzip("") + gzip("two"), 3), "one two");
  EXPECT_EQ(decoded(ContentCoding::kZstd, zstd("one ") + zstd("") + zstd("two"), 3), "one two");
}

TEST(BodyDecoder, RefusesWhatIsNoSuchCoding) {
  const auto ignore = [](std::string_view) {};
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kZstd}) {
    std::string damaged = coding == ContentCoding::kGzip ? gzip(long_text()) : zstd(long_text());
    damaged[damaged.size() / 2] ^= 0x55;
    damaged[damaged.size() - 3] ^= 0x55;
    for (const std::string& bytes : {std::string(R"({"model":"tiny"})"), damaged}) {
      const auto decoder = make_body_decoder(coding);
      const auto attempt = [&] {
        decoder->put(bytes, ignore);
        if (!decoder->is_complete()) throw RequestRefused(http_refusal("malformed_encoding", ""));
      };
      EXPECT_THROW(attempt(), RequestRefused);
    }
  }
}

TEST(BodyDecoder, KnowsWhenTheBytesAreCutOff) {
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kZstd}) {
    const std::string whole = coding == ContentCoding::kGzip ? gzip("text") : zstd("text");
    const auto decoder = make_body_decoder(coding);
    EXPECT_FALSE(decoder->is_complete());
    decoder->put(whole.substr(0, whole.size() - 1), [](std::string_view) {});
    EXPECT_FALSE(decoder->is_complete());
    decoder->put(whole.substr(whole.size() - 1), [](std::string_view) {});
    EXPECT_TRUE(decoder->is_complete());
  }
}

TEST(BodyDecoder, RefusesLargeWindows) {
  const std::string text(std::size_t{20} << 20, 'a');
  const auto decoder = make_body_decoder(ContentCoding::kZstd);
  decoder->put(zstd(text, 23), [](std::string_view) {});
  EXPECT_TRUE(decoder->is_complete());
  EXPECT_LT(decoder->memory(), kMostDecoderMemory);
  EXPECT_THROW(decoder->put(zstd(text, 24), [](std::string_view) {}), RequestRefused);
}

class EncodedBodies : public HttpFrontend {
 protected:
  RawAnswer post_encoded(std::string_view coding, std::string_view body) {
    return post(kChatPath, body, "Content-Encoding: " + std::string(coding) + "\r\n");
  }
};

TEST_F(EncodedBodies, AreAnsweredLikePlainOnes) {
  start();
  const std::string expected = post(kChatPath, kChat).body;
  for (const auto& [coding, body] :
       {std::pair("gzip", gzip(kChat)), std::pair("zstd", zstd(kChat))}) {
    const RawAnswer answer = post_encoded(coding, body);
    EXPECT_EQ(answer.status, 200) << coding << " " << answer.body;
    EXPECT_EQ(engine_.records().back().document, engine_.records().front().document);
  }
}

TEST_F(EncodedBodies, MayFollowEachOtherOnOneConnection) {
  start();
  RawClient client(port());
  const std::string body = zstd(kChat);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(request_text("POST", kChatPath, body, "Content-Encoding: zstd\r\n")));
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << answer->body;
  }
}

TEST_F(EncodedBodies, ThatDecodeToTooMuchAreRefused) {
  start({{"max_body", std::int64_t{64 * 1024}}});
  const std::string bomb(std::size_t{200} << 20, ' ');
  for (const auto& [coding, body] :
       {std::pair("gzip", gzip(bomb).substr(0, 60'000)), std::pair("zstd", zstd(bomb))}) {
    ASSERT_LT(body.size(), 64U * 1024);
    const RawAnswer answer = post_encoded(coding, body);
    EXPECT_EQ(answer.status, 413) << coding;
    EXPECT_EQ(error_of(answer).at("code"), "request_too_large");
  }
  EXPECT_TRUE(engine_.records().empty());
}

TEST_F(EncodedBodies, ThatAreDamagedOrUnknownAreRefused) {
  start();
  const RawAnswer cut = post_encoded("zstd", zstd(kChat).substr(0, 20));
  EXPECT_EQ(cut.status, 400);
  EXPECT_EQ(error_of(cut).at("code"), "malformed_encoding");
  EXPECT_EQ(error_of(post_encoded("gzip", kChat)).at("code"), "malformed_encoding");
  for (const char* const other : {"br", "gzip, zstd", "gzip\r\nContent-Encoding: zstd"}) {
    const RawAnswer unknown = post_encoded(other, "x");
    EXPECT_EQ(unknown.status, 415) << other;
    EXPECT_EQ(unknown.headers.at("accept-encoding"), "zstd, gzip");
  }
}

}  // namespace
}  // namespace vernal::openai_http::testing
