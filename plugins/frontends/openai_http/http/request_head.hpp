// The head of an HTTP request: checks that come before the body is read, and what is kept of the
// head. Boost.Beast parses; the functions here refuse what its parser lets through. They are pure
// functions over bytes.
#pragma once

#include <boost/beast/http/message.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "openai_http/http/content_coding.hpp"
#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {

using BeastHead = boost::beast::http::request_header<>;

/// A head larger than this is refused.
struct HeadLimits {
  std::size_t target_bytes = 8 * 1024;
  std::size_t head_bytes = 32 * 1024;
  std::size_t num_fields = 100;
};

/// What is kept of a validated head.
struct RequestHead {
  std::string method;
  std::string path;   // decoded path without query; "*" for OPTIONS *
  std::string query;  // as sent, without '?'
  bool keep_alive = true;
  bool http10 = false;
  bool expects_continue = false;
  bool chunked = false;
  std::uint64_t content_length = 0;  // 0 if chunked or none; of the body as it is sent
  ContentCoding coding = ContentCoding::kIdentity;
  bool has_body() const noexcept { return chunked || content_length > 0; }
};

/// The position after the empty line that ends the head, or nullopt if that line has not come yet.
std::optional<std::size_t> end_of_head(std::string_view bytes) noexcept;

/// Checks the bytes that have come so far, whether the head is complete or not. Throws
/// RequestRefused as soon as they cannot become an acceptable head: prefaces of TLS and HTTP/2,
/// HTTP/0.9, a target (414) or a head (431) that is too large, NUL, bare CR or LF, folded lines, a
/// space before a colon.
void check_head_bytes(std::string_view bytes, const HeadLimits& limits);

/// Checks of a parsed head what RFC 9112 asks for and the parser does not check: one Host, one
/// Content-Length, no transfer coding but "chunked" (not together with Content-Length, not in
/// HTTP/1.0), no unknown coding of the body, no unknown expectation, and a target in origin, absolute or asterisk
/// form with sound percent-encoding.
///   max_body  bytes a body may have
/// Throws RequestRefused (400, 413, 414, 415, 417, 501, 505).
RequestHead validate_request(const BeastHead& head, std::uint64_t max_body);

/// "%41" -> "A". nullopt for a broken escape or an encoded NUL.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace vernal::openai_http
