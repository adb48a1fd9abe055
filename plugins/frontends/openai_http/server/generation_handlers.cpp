// Handlers that make the engine work: generating, counting tokens.
#include <boost/json.hpp>
#include <ctime>
#include <memory>
#include <utility>

#include "openai_http/anthropic/messages.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_body.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/server/generation.hpp"
#include "openai_http/server/handlers.hpp"

namespace vernal::openai_http {
namespace {

/// Larger bodies are parsed on a worker thread.
constexpr std::size_t kSmallBody = 256 * 1024;

AnswerIdentity identity_of(std::string_view prefix, const GenerationRequest& request) {
  return {make_id(prefix), request.model, static_cast<std::int64_t>(std::time(nullptr))};
}

/// Converts the body; on a worker thread if it is so large that other connections would wait.
template <class Converted>
net::awaitable<Converted> convert_body(Exchange& exchange,
                                       Converted (*convert)(const boost::json::object&)) {
  const std::string& text = exchange.request().body;
  if (text.size() <= kSmallBody) co_return convert(JsonBody(text).object());
  Converted converted;
  std::function<void()> work = [&] { converted = convert(JsonBody(text).object()); };
  co_await exchange.run_elsewhere(std::move(work));
  co_return converted;
}

}  // namespace

net::awaitable<void> answer_generation(Exchange& exchange) {
  const GenerationApi& api = *exchange.endpoint().generation;
  GenerationRequest request = co_await convert_body<GenerationRequest>(exchange, api.read);
  exchange.record().model = request.model;
  exchange.record().is_streamed = request.is_streamed;
  request.model = resolve_model(exchange.service(), request.model);
  exchange.record().model = request.model;
  const auto answer = api.make_answer(request, identity_of(api.id_prefix, request));
  co_await run_generation(exchange, request, *answer);
}

net::awaitable<void> answer_count_tokens(Exchange& exchange) {
  const HttpService& service = exchange.service();
  MessagesDocument messages =
      co_await convert_body<MessagesDocument>(exchange, read_anthropic_messages);
  exchange.record().model = messages.model;
  messages.model = resolve_model(service, messages.model);
  exchange.record().model = messages.model;
  std::uint64_t count = 0;
  std::function<void()> work = [&] {
    count = service.text.count(messages.model, messages.document);
  };
  co_await exchange.run_elsewhere(std::move(work));
  Response response;
  response.body = to_text(boost::json::object{{"input_tokens", count}});
  co_await exchange.send(std::move(response));
}

}  // namespace vernal::openai_http
