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
  /// Completes a request once its model is known, on a worker thread. Null: nothing is missing.
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
enum class Speaks { kOpenAi, kAnthropic, kNative, kShared };

struct Endpoint {
  std::string_view method;
  std::string_view path;  // if it ends in "/{id}", the id may hold slashes
  Access access;
  Work work;
  Speaks speaks;
  Handler handler;
  const GenerationApi* generation = nullptr;  // for the handler answer_generation
};

}  // namespace vernal::openai_http
