// From the body of a request to what a handler works with.
#pragma once

#include <functional>
#include <utility>

#include "openai_http/protocol/json_body.hpp"
#include "openai_http/server/exchange.hpp"
#include "openai_http/server/generation.hpp"

namespace vernal::openai_http {

/// Larger bodies are parsed on a worker thread.
inline constexpr std::size_t kSmallBody = 256 * 1024;

/// Converts the body; on a worker thread if it is so large that other connections would wait.
/// `convert` takes a JSON object and gives a Converted; it has to live until this returns.
template <class Converted, class Convert>
net::awaitable<Converted> convert_body(Exchange& exchange, const Convert& convert) {
  const std::string& text = exchange.request().body;
  if (text.size() <= kSmallBody) co_return convert(JsonBody(text).object());
  Converted converted;
  std::function<void()> work = [&] { converted = convert(JsonBody(text).object()); };
  co_await exchange.run_elsewhere(std::move(work));
  co_return converted;
}

/// Replaces the name that a client gave by that of the model to use, and notes both.
inline void choose_model(Exchange& exchange, std::string& model) {
  exchange.record().model = model;
  model = resolve_model(exchange.service(), model);
  exchange.record().model = model;
}

}  // namespace vernal::openai_http
