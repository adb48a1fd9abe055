// The head of an HTTP request: what is refused before a byte of the body is read, and what is kept
// of it. Pure functions over bytes; the parser proper is Boost.Beast's, this closes what it leaves
// open.
#pragma once

#include <boost/beast/http/message.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {

using BeastHead = boost::beast::http::request_header<>;

/// Sizes beyond which a head is refused.
struct HeadLimits {
  std::size_t target_bytes = 8 * 1024;
  std::size_t head_bytes = 32 * 1024;
  std::size_t num_fields = 100;
};

/// What the rest of the server wants to know about a validated head.
struct RequestHead {
  std::string method;
  std::string path;   // decoded path without query; "*" for OPTIONS *
  std::string query;  // as sent, without '?'
  bool keep_alive = true;
  bool http10 = false;
  bool expects_continue = false;
  bool chunked = false;
  std::uint64_t content_length = 0;  // 0 if chunked or none
  bool has_body() const noexcept { return chunked || content_length > 0; }
};

/// Position just behind the empty line that ends the head; nullopt while it has not come.
std::optional<std::size_t> end_of_head(std::string_view bytes) noexcept;

/// Looks at the bytes that have come so far, complete or not, and throws RequestRefused as soon as
/// they cannot become an acceptable head: TLS and HTTP/2 prefaces, HTTP/0.9, 414, 431, NUL, bare CR
/// or LF, folded lines, space before a colon.
void check_head_bytes(std::string_view bytes, const HeadLimits& limits);

/// Checks a parsed head against RFC 9112 where the parser does not: one Host, one Content-Length,
/// the only transfer coding "chunked" and that not beside Content-Length or in HTTP/1.0, no coded
/// body, no unknown expectation, a target in origin, absolute or asterisk form with sound
/// percent-encoding.
///   max_body  bytes a body may have
/// Throws RequestRefused (400, 413, 414, 415, 417, 501, 505).
RequestHead validate_request(const BeastHead& head, std::uint64_t max_body);

/// "%41" -> "A". nullopt for a broken escape or an encoded NUL.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace vernal::openai_http
