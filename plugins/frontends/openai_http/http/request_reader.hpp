// Reads the requests of one connection, head and body, within their limits of size and time.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "openai_http/http/connection.hpp"
#include "openai_http/http/memory_budget.hpp"
#include "openai_http/http/request_head.hpp"
#include "openai_http/settings.hpp"

namespace vernal::openai_http {

/// One request as the routes see it.
struct HttpRequest {
  RequestHead head;
  std::string authorization;      // header of that name
  std::string api_key;            // x-api-key
  std::string host;               // Host; empty: HTTP/1.0 without one
  std::string content_type;       // Content-Type
  std::string origin;             // Origin
  std::string user_agent;         // User-Agent
  std::string originator;         // of that name: the program that asks
  std::string accept;             // Accept
  std::string if_none_match;      // If-None-Match
  std::string requested_headers;  // Access-Control-Request-Headers
  bool has_anthropic_version = false;
  std::string body;
};

/// Keeps bytes of the next request in its buffer, so requests that were sent in one go are served
/// one after the other. Loop of the connection only.
class RequestReader {
 public:
  RequestReader(std::shared_ptr<Connection> connection, const Settings& settings,
                MemoryBudget& budget);
  ~RequestReader();

  /// Waits for the next request and reads its head into `request`. False if the connection ended
  /// first, or stayed idle too long. Throws RequestRefused for a head that is not acceptable or too
  /// slow (408); the connection must then be closed.
  net::awaitable<bool> read_head(HttpRequest& request);

  /// Reads the body that belongs to the last head, and decodes it. Neither what is sent nor what it
  /// decodes to may be larger than the largest body. False if the connection ended first. Throws
  /// RequestRefused (400, 408, 413, 503); the connection must then be closed.
  net::awaitable<bool> read_body(HttpRequest& request);

  /// To be called when the request has been answered. Frees the memory of its body, and that of the
  /// buffer if it is empty.
  void finish_request();

 private:
  class BodyParser;

  net::awaitable<bool> wait_for_first_byte();
  net::awaitable<IoResult> read_more(TimePoint deadline);
  /// Appends a part of the body to the request, decoded.
  void take(std::string_view bytes, HttpRequest& request);
  void hold_memory(const HttpRequest& request);
  void parse_head(std::size_t size, HttpRequest& request);
  TimePoint body_deadline(std::size_t received) const;
  std::string_view buffered() const;

  std::shared_ptr<Connection> connection_;
  const Settings& settings_;
  HeadLimits limits_;
  MemoryShare body_memory_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<BodyParser> parser_;
  std::unique_ptr<BodyDecoder> decoder_;  // of the body that is being read, if it is encoded
  TimePoint body_begin_;
};

}  // namespace vernal::openai_http
