// Answers as bytes.
#pragma once

#include <string>
#include <string_view>

#include "openai_http/http/cors.hpp"

namespace vernal::openai_http {

/// An answer whose body is known before its head is sent.
struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  HeaderList headers;
  std::string body;
};

/// How an answer is framed.
struct Framing {
  bool keep_alive = true;
  unsigned idle_s = 0;     // seconds the connection may stay idle; 0: not told to the client
  bool http10 = false;     // no chunks; a body of unknown length ends with the connection
  bool head_only = false;  // answer to HEAD: the length of the body, but not the body
};

/// Head and body. Answers of status 204 and 304 have no body.
std::string render_response(const Response& response, const Framing& framing);

/// Head of an event stream. It tells proxies not to buffer.
std::string render_stream_head(const HeaderList& headers, const Framing& framing);

/// `data` as one chunk, or unchanged in HTTP/1.0. Empty data gives an empty string, because an
/// empty chunk would end the body.
std::string render_chunk(std::string_view data, const Framing& framing);

/// The chunk that ends a body.
std::string_view last_chunk(const Framing& framing) noexcept;

}  // namespace vernal::openai_http
