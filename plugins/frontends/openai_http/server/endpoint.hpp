// One row of the table of endpoints; the table itself is in routes.cpp.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string_view>

#include "openai_http/http/asio.hpp"
#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

class Exchange;

/// Answers one exchange, or throws RequestRefused or vernal::Error before it has begun to.
using Handler = net::awaitable<void> (*)(Exchange&);

/// How an endpoint that generates reads its requests and writes its answers.
struct GenerationApi {
  GenerationRequest (*read)(const boost::json::object& body);
  std::unique_ptr<Answer> (*make_answer)(const GenerationRequest& request, AnswerIdentity identity);
  std::string_view id_prefix;  // of answers: "chatcmpl-"
  /// Completes a request that is not complete, once its model is known, on a worker thread. Null:
  /// every request is.
  void (*prepare)(GenerationRequest& request, const TextClient& text) = nullptr;
};

/// Who may ask.
enum class Access { kOpen, kWithKey };

/// Whether an answer costs the engine work. Those that do are guarded against foreign pages, and
/// are logged one by one.
enum class Work { kNone, kComputes };

/// Whose errors an endpoint answers with. kShared: both APIs have it, and the client says which one
/// it speaks, by the prefix /anthropic or the header anthropic-version. kNative: the API of
/// llama-server.
enum class Speaks { kOpenAi, kResponses, kAnthropic, kNative, kShared };

struct Endpoint {
  std::string_view method;
  std::string_view path;  // may have one part "{id}"; at the end it may stand for slashes too
  Access access;
  Work work;
  Speaks speaks;
  Handler handler;
  const GenerationApi* generation = nullptr;  // for the handler answer_generation
};

/// What stands for "{id}" of an endpoint's path in a path that a client asked for; empty if the path
/// does not match, or the endpoint has no such part.
std::string_view id_in_path(std::string_view pattern, std::string_view path) noexcept;

}  // namespace vernal::openai_http
