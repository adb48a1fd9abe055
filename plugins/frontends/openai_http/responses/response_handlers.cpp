// Handlers of the Responses API.
#include <boost/json.hpp>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "openai_http/http/query.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/responses/item_listing.hpp"
#include "openai_http/responses/response_answer.hpp"
#include "openai_http/server/body_conversion.hpp"
#include "openai_http/server/handlers.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// Codex knows an overflow from the event stream only, and takes a status 400 for the end of all.
bool is_codex(const HttpRequest& request) {
  constexpr std::string_view kName = "codex";
  return request.user_agent.starts_with(kName) || request.originator.starts_with(kName);
}

net::awaitable<void> stream_failure(Exchange& exchange, Answer& answer, const ApiError& error) {
  exchange.record().error = error.code;
  co_await exchange.begin_stream();
  std::string events;
  answer.begin(events);
  answer.fail(error, events);
  co_await exchange.write_stream(events);
  co_await exchange.end_stream();
}

StoredItems stored_lookup(Exchange& exchange) {
  ResponseStore& store = exchange.service().responses;
  const std::size_t client = exchange.client();
  StoredItems stored;
  stored.find_conversation = [&store, client](std::string_view id) {
    const auto found = store.find(client, id);
    if (!found) throw RequestRefused(unknown_previous_response(id));
    return found->conversation();
  };
  stored.find_item = [&store, client](std::string_view id) -> std::optional<json::object> {
    const auto found = store.find_with_item(client, id);
    if (!found) return std::nullopt;
    if (auto item = item_with_id(found->output->text(), id)) return item;
    return item_with_id(found->input.back()->text(), id);
  };
  return stored;
}

/// The ids of the items that a response has stored: of its input, and of a JSON array of its output.
std::vector<std::string> item_ids(const ResponseRequest& request, const std::string& output) {
  std::vector<std::string> ids = request.item_ids;
  const json::value items = json::parse(output);
  for (const json::value& item : items.get_array()) {
    ids.emplace_back(text_of(item.at("id").get_string()));
  }
  return ids;
}

/// What keeps the response of `id` when it is whole; nothing if it is not to be kept.
KeepResponse keeper(Exchange& exchange, const ResponseRequest& request, const std::string& id) {
  if (!request.is_to_be_stored) return {};
  return [&exchange, &request, id](const std::string& document, const std::string& output) {
    exchange.service().responses.put(
        exchange.client(), id,
        {document, request.history, request.input, output, item_ids(request, output)});
  };
}

net::awaitable<ResponseRequest> read_request(Exchange& exchange) {
  const StoredItems stored = stored_lookup(exchange);
  const auto read = [&stored](const json::object& body) {
    return read_response_request(body, stored);
  };
  ResponseRequest request = co_await convert_body<ResponseRequest>(exchange, read);
  choose_model(exchange, request.generation.model);
  if (!exchange.service().responses.keeps_any()) {
    request.is_to_be_stored = false;
    request.settings["store"] = false;
  }
  co_return request;
}

std::shared_ptr<const StoredResponse> stored_response(Exchange& exchange) {
  const std::string_view id = exchange.path_id();
  auto found = exchange.service().responses.find(exchange.client(), id);
  if (!found) throw RequestRefused(unknown_response(id));
  return found;
}

}  // namespace

net::awaitable<void> answer_response(Exchange& exchange) {
  ResponseRequest request = co_await read_request(exchange);
  const GenerationRequest& generation = request.generation;
  exchange.record().is_streamed = generation.is_streamed;
  const AnswerIdentity identity{make_id("resp_"), generation.model,
                                static_cast<std::int64_t>(std::time(nullptr))};
  const KeepResponse keep = keeper(exchange, request, identity.id);
  const auto answer = make_response_answer(request, identity, keep);
  std::optional<ApiError> refusal;
  try {
    co_await run_generation(exchange, generation, *answer);
  } catch (const RequestRefused& refused) {
    const bool is_overflow = refused.error().code == "context_length_exceeded";
    if (!is_overflow || !generation.is_streamed || !is_codex(exchange.request())) throw;
    refusal = refused.error();
  }
  if (refusal) co_await stream_failure(exchange, *answer, *refusal);
}

net::awaitable<void> answer_response_input_tokens(Exchange& exchange) {
  const ResponseRequest request = co_await read_request(exchange);
  const GenerationRequest& generation = request.generation;
  Response response;
  std::function<void()> work = [&] {
    const std::uint64_t count =
        exchange.service().text.count(generation.model, generation.prompts.front().document);
    response.body =
        to_text(json::object{{"object", "response.input_tokens"}, {"input_tokens", count}});
  };
  co_await exchange.run_elsewhere(std::move(work));
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_stored_response(Exchange& exchange) {
  const std::string wants_stream =
      query_value(exchange.request().head.query, "stream").value_or("false");
  if (wants_stream != "false" && wants_stream != "0") {
    throw RequestRefused(unsupported_parameter("stream", "a stored response is one document."));
  }
  Response response;
  response.body = stored_response(exchange)->document->text();
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_delete_response(Exchange& exchange) {
  const std::string_view id = exchange.path_id();
  if (!exchange.service().responses.erase(exchange.client(), id)) {
    throw RequestRefused(unknown_response(id));
  }
  Response response;
  response.body = to_text(json::object{{"id", id}, {"object", "response"}, {"deleted", true}});
  co_await exchange.send(std::move(response));
}

net::awaitable<void> answer_response_input_items(Exchange& exchange) {
  const auto stored = stored_response(exchange);
  Response response;
  response.body = render_item_list(stored->input, exchange.request().head.query);
  co_await exchange.send(std::move(response));
}

}  // namespace vernal::openai_http
