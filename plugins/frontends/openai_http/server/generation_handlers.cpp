// Handlers that make the engine generate.
#include <ctime>
#include <memory>
#include <utility>

#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/server/body_conversion.hpp"
#include "openai_http/server/handlers.hpp"
#include "vernal/frontend/model_names.hpp"

namespace vernal::openai_http {
namespace {

/// An answer tells the name of its model. Where that is a pattern, it tells the one that was asked for.
AnswerIdentity identity_of(std::string_view prefix, const GenerationRequest& request,
                           const std::string& asked) {
  return {make_id(prefix), is_name_pattern(request.model) ? asked : request.model,
          static_cast<std::int64_t>(std::time(nullptr))};
}

}  // namespace

net::awaitable<void> answer_generation(Exchange& exchange) {
  const GenerationApi& api = *exchange.endpoint().generation;
  GenerationRequest request = co_await convert_body<GenerationRequest>(exchange, api.read);
  exchange.record().is_streamed = request.is_streamed;
  const std::string asked = request.model;
  choose_model(exchange, request.model);
  if (!request.is_complete) {
    std::function<void()> work = [&] { api.prepare(request, exchange.service().text); };
    co_await exchange.run_elsewhere(std::move(work));
  }
  const auto answer = api.make_answer(request, identity_of(api.id_prefix, request, asked));
  answer->warn(request.warnings);
  co_await run_generation(exchange, request, *answer);
}

}  // namespace vernal::openai_http
