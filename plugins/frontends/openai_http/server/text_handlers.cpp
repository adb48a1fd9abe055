// Handlers that ask the text service and generate nothing: tokens, templates, counts, facts.
#include <boost/json.hpp>
#include <utility>

#include "openai_http/anthropic/messages_request.hpp"
#include "openai_http/http/query.hpp"
#include "openai_http/native/model_facts.hpp"
#include "openai_http/native/token_requests.hpp"
#include "openai_http/openai/chat_request.hpp"
#include "openai_http/openai/model_listing.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/server/body_conversion.hpp"
#include "openai_http/server/handlers.hpp"

namespace vernal::openai_http {
namespace {

/// Runs `make` on a worker thread and sends the JSON that it returns.
template <class Make>
net::awaitable<void> send_made_elsewhere(Exchange& exchange, Make make) {
  Response response;
  std::function<void()> work = [&] { response.body = make(); };
  co_await exchange.run_elsewhere(std::move(work));
  co_await exchange.send(std::move(response));
}

/// The model that the query names ("?model=NAME"); without a name the first one.
ModelInfo model_of_query(Exchange& exchange) {
  std::vector<ModelInfo> models = exchange.service().models();
  std::string name = query_value(exchange.request().head.query, "model").value_or("");
  const std::vector<ModelInfo> named = without_patterns(models);
  if (name.empty() && !named.empty()) name = named.front().id;
  choose_model(exchange, name);
  for (ModelInfo& model : models) {
    if (model.id == name) return std::move(model);
  }
  throw RequestRefused(unknown_model(name));
}

/// {"input_tokens": N} for the request's prompt.
net::awaitable<void> answer_count(Exchange& exchange, GenerationRequest& request) {
  choose_model(exchange, request.model);
  const TextClient& text = exchange.service().text;
  co_await send_made_elsewhere(exchange, [&] {
    const std::uint64_t count = text.count(request.model, request.prompts.front().document);
    return to_text(boost::json::object{{"input_tokens", count}});
  });
}

}  // namespace

net::awaitable<void> answer_count_tokens(Exchange& exchange) {
  auto messages = co_await convert_body<GenerationRequest>(exchange, read_messages_to_count);
  co_await answer_count(exchange, messages);
}

net::awaitable<void> answer_chat_input_tokens(Exchange& exchange) {
  auto chat = co_await convert_body<GenerationRequest>(exchange, read_chat_request);
  co_await answer_count(exchange, chat);
}

net::awaitable<void> answer_apply_template(Exchange& exchange) {
  auto chat = co_await convert_body<GenerationRequest>(exchange, read_chat_request);
  choose_model(exchange, chat.model);
  const TextClient& text = exchange.service().text;
  co_await send_made_elsewhere(exchange, [&] {
    const std::string prompt = text.apply_template(chat.model, chat.prompts.front().document);
    return to_text(boost::json::object{{"prompt", prompt}});
  });
}

net::awaitable<void> answer_tokenize(Exchange& exchange) {
  auto request = co_await convert_body<TokenizeRequest>(exchange, read_tokenize_request);
  choose_model(exchange, request.model);
  const TextClient& text = exchange.service().text;
  co_await send_made_elsewhere(exchange, [&] { return answer_tokenize_request(text, request); });
}

net::awaitable<void> answer_detokenize(Exchange& exchange) {
  auto request = co_await convert_body<DetokenizeRequest>(exchange, read_detokenize_request);
  choose_model(exchange, request.model);
  const TextClient& text = exchange.service().text;
  co_await send_made_elsewhere(exchange, [&] { return answer_detokenize_request(text, request); });
}

net::awaitable<void> answer_props(Exchange& exchange) {
  const ModelInfo model = model_of_query(exchange);
  Response response;
  response.body = render_props(model, exchange.service().text.describe(model.id));
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_slots(Exchange& exchange) {
  const ModelInfo model = model_of_query(exchange);
  const HttpService& service = exchange.service();
  const std::vector<SlotInfo> slots = service.engine.slots(model.id);
  const auto is_free = [](const SlotInfo& slot) { return slot.request == 0; };
  const bool must_be_free =
      query_value(exchange.request().head.query, "fail_on_no_slot").value_or("0") != "0";
  if (must_be_free && std::none_of(slots.begin(), slots.end(), is_free)) {
    throw RequestRefused(at_capacity("every slot is taken"));
  }
  Response response;
  response.body = render_slots(model, slots, service.text.describe(model.id));
  co_await exchange.send(std::move(response));
}

}  // namespace vernal::openai_http
