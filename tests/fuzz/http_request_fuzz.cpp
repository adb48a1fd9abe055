// Bytes of a client: the head of a request, then its body as each endpoint reads it. An input that
// begins with '{' is a body alone.
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "openai_http/anthropic/messages_request.hpp"
#include "openai_http/http/request_head.hpp"
#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/completion_request.hpp"
#include "openai_http/protocol/json_body.hpp"

namespace {

namespace http = boost::beast::http;
using namespace vernal::openai_http;

void require(bool condition) {
  if (!condition) std::abort();
}

/// What a client is told must be JSON, whatever the request held.
void check_refusal(const RequestRefused& refused) {
  for (const Dialect dialect : {Dialect::kOpenAi, Dialect::kAnthropic}) {
    require(boost::json::parse(render_error(refused.error(), dialect, "req_1")).is_object());
  }
  require(refused.error().status >= 400 && refused.error().status < 600);
}

void check_documents(const GenerationRequest& request) {
  require(!request.prompts.empty());
  for (const EnginePrompt& prompt : request.prompts) {
    require(boost::json::parse(prompt.document).is_object());
  }
}

template <class Convert>
void attempt(Convert convert) {
  try {
    convert();
  } catch (const RequestRefused& refused) {
    check_refusal(refused);
  }
}

void read_body(std::string_view text) {
  std::optional<JsonBody> body;
  attempt([&] { body.emplace(text); });
  if (!body) return;
  attempt([&] { check_documents(read_chat_request(body->object())); });
  attempt([&] { check_documents(read_completion_request(body->object())); });
  attempt([&] { check_documents(read_messages_request(body->object())); });
  attempt([&] { check_documents(read_messages_to_count(body->object())); });
}

void read_request(std::string_view bytes) {
  check_head_bytes(bytes, HeadLimits{});
  const auto size = end_of_head(bytes);
  if (!size) return;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(1U << 20);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  parser.put(boost::asio::const_buffer(bytes.data(), *size), error);
  if (!parser.is_header_done()) return;
  const RequestHead head = validate_request(parser.get(), 1U << 20);
  require(!head.path.empty() && (head.path.front() == '/' || head.path == "*"));
  require(!(head.chunked && head.content_length > 0));
  read_body(bytes.substr(*size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.empty() && bytes.front() == '{') {
    read_body(bytes);
  } else {
    attempt([&] { read_request(bytes); });
  }
  return 0;
}
