// Bytes of a client: the head of a request, then its body as each endpoint reads it. An input that
// begins with '{' is a body alone.
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "openai_http/anthropic/messages_request.hpp"
#include "openai_http/http/content_coding.hpp"
#include "openai_http/http/request_head.hpp"
#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/completion_request.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/responses/response_items.hpp"
#include "openai_http/responses/response_request.hpp"
#include "vernal/host.hpp"

namespace vernal {

/// Endpoints that ask the text service are linked in. Nothing here calls them.
Host& plugin_host() noexcept {
  static Host host;
  return host;
}

}  // namespace vernal

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

Conversation nothing_stored(std::string_view id) {
  throw RequestRefused(unknown_previous_response(id));
}

std::optional<boost::json::object> no_item(std::string_view) { return std::nullopt; }

/// What was read is what would be stored: messages can be made of it again without an exception.
void check_response(const ResponseRequest& request) {
  check_documents(request.generation);
  require(boost::json::parse(to_text(request.settings)).is_object());
  messages_of("", {boost::json::parse(request.input).as_array()});
}

void read_body(std::string_view text) {
  std::optional<JsonBody> body;
  attempt([&] { body.emplace(text); });
  if (!body) return;
  attempt([&] { check_documents(read_chat_request(body->object())); });
  attempt([&] { check_documents(read_completion_request(body->object())); });
  attempt([&] { check_documents(read_messages_request(body->object())); });
  attempt([&] { check_documents(read_messages_to_count(body->object())); });
  attempt([&] {
    check_response(read_response_request(body->object(), {nothing_stored, no_item}));
  });
}

/// Decodes a body as the server does, within a limit, first its first half.
void read_encoded_body(ContentCoding coding, std::string_view bytes) {
  constexpr std::size_t kMostDecoded = 1U << 20;
  const auto decoder = make_body_decoder(coding);
  std::string text;
  const BodyDecoder::Sink sink = [&](std::string_view decoded) {
    if (decoded.size() > kMostDecoded - text.size()) {
      throw RequestRefused(http_refusal("request_too_large", "The request body is too large."));
    }
    text += decoded;
  };
  decoder->put(bytes.substr(0, bytes.size() / 2), sink);
  decoder->put(bytes.substr(bytes.size() / 2), sink);
  require(decoder->memory() <= kMostDecoderMemory);
  if (decoder->is_complete()) read_body(text);
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
  if (head.coding == ContentCoding::kIdentity) {
    read_body(bytes.substr(*size));
  } else {
    read_encoded_body(head.coding, bytes.substr(*size));
  }
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
