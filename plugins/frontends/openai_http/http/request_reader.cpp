#include "openai_http/http/request_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <functional>
#include <utility>

namespace vernal::openai_http {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kBodyPiece = 16 * 1024;
/// The size line of a chunk with its extensions, and the trailer, must fit into this.
constexpr std::size_t kMaxUnparsed = 16 * 1024;
constexpr std::size_t kLongestChunkExtension = 256;
/// A long body must come in at least at this rate.
constexpr std::size_t kBytesPerSecond = 64 * 1024;

std::string header(const BeastHead& head, std::string_view name) {
  const auto value = head[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

[[noreturn]] void refuse(AnswerCode code, std::string_view message) {
  throw RequestRefused(http_refusal(code, message));
}

[[noreturn]] void refuse_too_large(std::uint64_t max_body) {
  refuse("request_too_large",
         fmt::format("The request body is larger than {} bytes, the most this server takes.",
                     max_body));
}

}  // namespace

/// Beast's parser. It gets the complete head first, then the body as it comes.
class RequestReader::BodyParser {
 public:
  BodyParser() {
    parser_.header_limit(1U << 20);  // the head's own limits have been checked before
    parser_.body_limit(boost::none);
    parser_.on_chunk_header(on_chunk_);
  }

  /// Throws RequestRefused if the parser does not accept the head.
  const BeastHead& put_head(net::const_buffer head) {
    ErrorCode error;
    parser_.put(head, error);
    if (error && error != http::error::need_more) {
      refuse("malformed_http",
             fmt::format("The bytes are not an HTTP/1.1 request: {}.", error.message()));
    }
    if (!parser_.is_header_done()) {
      refuse("malformed_http", "The bytes are not an HTTP/1.1 request: the head is cut off.");
    }
    parser_.eager(true);
    return parser_.get();
  }

  /// Bounds the sum of chunks. A declared length has been checked with the head.
  void limit_body(std::uint64_t max_body) { parser_.body_limit(max_body); }

  /// Takes bytes of the body, hands on what the framing encloses, and returns how many were used.
  template <class Take>
  std::size_t put(net::const_buffer bytes, std::uint64_t max_body, const Take& take) {
    std::array<char, kBodyPiece> piece{};
    auto& target = parser_.get().body();
    target.data = piece.data();
    target.size = piece.size();
    target.more = true;
    ErrorCode error;
    const std::size_t used = parser_.put(bytes, error);
    const std::string_view enclosed(piece.data(), piece.size() - target.size);
    if (error == http::error::body_limit) refuse_too_large(max_body);
    if (error && error != http::error::need_more && error != http::error::need_buffer) {
      refuse("malformed_http",
             fmt::format("The request body is not framed as HTTP/1.1 asks: {}.", error.message()));
    }
    if (has_long_extension_) {
      refuse("malformed_http",
             "The request body is not framed as HTTP/1.1 asks: a chunk extension is too long.");
    }
    if (!enclosed.empty()) take(enclosed);
    return used;
  }

  bool is_done() const { return parser_.is_done(); }

 private:
  bool has_long_extension_ = false;
  std::function<void(std::uint64_t, boost::beast::string_view, ErrorCode&)> on_chunk_ =
      [this](std::uint64_t, boost::beast::string_view extensions, ErrorCode&) {
        has_long_extension_ = has_long_extension_ || extensions.size() > kLongestChunkExtension;
      };
  http::request_parser<http::buffer_body> parser_;
};

RequestReader::RequestReader(std::shared_ptr<Connection> connection, const Settings& settings,
                             MemoryBudget& budget)
    : connection_(std::move(connection)), settings_(settings), body_memory_(budget) {}

RequestReader::~RequestReader() = default;

std::string_view RequestReader::buffered() const {
  const auto bytes = buffer_.cdata();
  return {static_cast<const char*>(bytes.data()), bytes.size()};
}

net::awaitable<IoResult> RequestReader::read_more(TimePoint deadline) {
  const net::mutable_buffer room = buffer_.prepare(kReadSize);
  const IoResult result = co_await connection_->read_some(room, deadline);
  buffer_.commit(result.size);
  co_return result;
}

net::awaitable<bool> RequestReader::wait_for_first_byte() {
  const TimePoint deadline = Clock::now() + settings_.idle_timeout;
  while (true) {
    // Some clients send empty lines between requests, which is allowed.
    while (buffered().substr(0, 2) == "\r\n") buffer_.consume(2);
    if (!buffered().empty() && buffered() != "\r") co_return true;
    const IoResult ready = co_await connection_->wait_readable(deadline);
    if (!ready.ok()) co_return false;
    const IoResult result = co_await read_more(deadline);
    if (!result.ok()) co_return false;
  }
}

net::awaitable<bool> RequestReader::read_head(HttpRequest& request) {
  if (!co_await wait_for_first_byte()) co_return false;
  const TimePoint deadline = Clock::now() + settings_.header_timeout;
  while (true) {
    check_head_bytes(buffered(), limits_);
    if (const auto size = end_of_head(buffered())) {
      parse_head(*size, request);
      co_return true;
    }
    const IoResult result = co_await read_more(deadline);
    if (result.is_timeout) {
      refuse("request_timeout", "The headers of the request did not come in time.");
    }
    if (!result.ok()) co_return false;
  }
}

void RequestReader::parse_head(std::size_t size, HttpRequest& request) {
  parser_ = std::make_unique<BodyParser>();
  const net::const_buffer bytes(buffer_.cdata().data(), size);
  const BeastHead& head = parser_->put_head(bytes);
  request.head = validate_request(head, settings_.max_body);
  parser_->limit_body(settings_.max_body);
  request.authorization = header(head, "authorization");
  request.api_key = header(head, "x-api-key");
  request.host = header(head, "host");
  request.content_type = header(head, "content-type");
  request.origin = header(head, "origin");
  request.user_agent = header(head, "user-agent");
  request.originator = header(head, "originator");
  request.accept = header(head, "accept");
  request.if_none_match = header(head, "if-none-match");
  request.requested_headers = header(head, "access-control-request-headers");
  request.has_anthropic_version = head.count("anthropic-version") > 0;
  buffer_.consume(size);
}

TimePoint RequestReader::body_deadline(std::size_t received) const {
  return body_begin_ + settings_.body_timeout + std::chrono::seconds(received / kBytesPerSecond);
}

void RequestReader::hold_memory(const HttpRequest& request) {
  const std::size_t of_decoder = decoder_ ? decoder_->memory() : 0;
  if (body_memory_.grow_to(request.body.capacity() + of_decoder)) return;
  throw RequestRefused(at_capacity("the bodies of requests fill the memory set aside for them"));
}

void RequestReader::take(std::string_view bytes, HttpRequest& request) {
  if (decoder_) {
    decoder_->put(bytes, [&](std::string_view decoded) {
      if (decoded.size() > settings_.max_body - request.body.size()) {
        refuse_too_large(settings_.max_body);
      }
      request.body += decoded;
      hold_memory(request);
    });
  } else {
    request.body += bytes;
  }
  hold_memory(request);
}

net::awaitable<bool> RequestReader::read_body(HttpRequest& request) {
  body_begin_ = Clock::now();
  if (!request.head.has_body()) co_return true;
  if (request.head.coding != ContentCoding::kIdentity) {
    decoder_ = make_body_decoder(request.head.coding);
  }
  std::size_t num_received = 0;
  const auto take_enclosed = [&](std::string_view bytes) {
    num_received += bytes.size();
    take(bytes, request);
  };
  while (!parser_->is_done()) {
    if (buffer_.size() > 0) {
      const std::size_t used = parser_->put(buffer_.cdata(), settings_.max_body, take_enclosed);
      buffer_.consume(used);
      if (used > 0 || parser_->is_done()) continue;
    }
    if (buffer_.size() >= kMaxUnparsed) {
      refuse("malformed_http",
             "The request body is not framed as HTTP/1.1 asks: a chunk header is too long.");
    }
    const TimePoint deadline = body_deadline(num_received);
    const IoResult result = co_await read_more(deadline);
    if (result.is_timeout) {
      refuse("request_timeout", "The body of the request did not come in time.");
    }
    if (!result.ok()) co_return false;
  }
  if (decoder_ && !decoder_->is_complete()) {
    refuse("malformed_encoding",
           "The request body is not what its Content-Encoding says: it is cut off.");
  }
  decoder_.reset();
  co_return true;
}

void RequestReader::finish_request() {
  decoder_.reset();
  parser_.reset();
  body_memory_.clear();
  if (buffer_.size() == 0) buffer_ = boost::beast::flat_buffer();
}

}  // namespace vernal::openai_http
