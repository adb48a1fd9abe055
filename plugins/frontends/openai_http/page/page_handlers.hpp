// Serves the page that people chat with in a browser. See Handler in server/endpoint.hpp.
#pragma once

#include <string_view>

#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// GET /: the page for clients that ask for text/html, name, version and endpoints as JSON for all
/// others, and for everybody if the deployment says `page = false`.
net::awaitable<void> answer_root(Exchange& exchange);

/// GET /page/{id}: a file of the page; 304 if the client has it already.
net::awaitable<void> answer_page_file(Exchange& exchange);

/// Whether an Accept header names text/html and does not give it the weight 0. A client that takes
/// everything ("*/*") is a program rather than a browser: false.
bool asks_for_html(std::string_view accept);

/// Whether an If-None-Match header has this ETag, or is "*".
bool has_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace vernal::openai_http
