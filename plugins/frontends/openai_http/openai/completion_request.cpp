#include "openai_http/openai/completion_request.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/gap_prompt.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/model_description.hpp"
#include "openai_http/protocol/refused_members.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxPrompts = 64;
constexpr std::int64_t kDefaultBudget = 16;

struct Prompt {
  std::string text;
  std::vector<std::int32_t> tokens;
};

[[noreturn]] void refuse_prompt(const JsonFields& fields) {
  fields.refuse("prompt", fmt::format("a string, token ids, or an array of at most {} of those",
                                      kMaxPrompts));
}

std::vector<std::int32_t> read_tokens(const JsonFields& fields, const json::array& ids) {
  std::vector<std::int32_t> tokens;
  tokens.reserve(ids.size());
  for (const json::value& id : ids) {
    const auto* const number = id.if_int64();
    if (number == nullptr || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) {
      refuse_prompt(fields);
    }
    tokens.push_back(static_cast<std::int32_t>(*number));
  }
  if (tokens.empty()) refuse_prompt(fields);
  return tokens;
}

Prompt read_one_prompt(const JsonFields& fields, const json::value& value) {
  if (const auto* const text = value.if_string()) return {std::string(text_of(*text)), {}};
  if (const auto* const ids = value.if_array()) return {{}, read_tokens(fields, *ids)};
  refuse_prompt(fields);
}

std::vector<Prompt> read_prompts(const JsonFields& fields) {
  const json::value* const value = fields.find("prompt");
  if (value == nullptr) refuse_prompt(fields);
  const json::array* const list = value->if_array();
  if (list == nullptr || (!list->empty() && list->front().is_number())) {
    return {read_one_prompt(fields, *value)};
  }
  if (list->empty() || list->size() > kMaxPrompts) refuse_prompt(fields);
  std::vector<Prompt> prompts;
  for (const json::value& element : *list) prompts.push_back(read_one_prompt(fields, element));
  return prompts;
}

void refuse_unsupported(const JsonFields& fields) {
  const std::int64_t n = fields.integer("n", {1, 128}).value_or(1);
  if (fields.integer("best_of", {1, 128}).value_or(n) != n) {
    throw RequestRefused(
        unsupported_parameter("best_of", "every choice that is generated is returned; use n."));
  }
}

/// With echo, nothing at all may be asked for beside the prompt.
void read_budget(const JsonFields& fields, json::object& document) {
  const bool echoes = fields.boolean("echo").value_or(false);
  if (echoes) document["echo"] = true;
  const json::value* const budget = fields.find("max_tokens");
  if (echoes && budget != nullptr && budget->is_int64() && budget->get_int64() == 0) {
    document["max_tokens"] = 0;
  } else if (!read_output_budget(fields, "max_tokens", document)) {
    document["max_tokens"] = kDefaultBudget;
  }
}

/// What follows the gap; empty: there is none.
std::string read_suffix(const JsonFields& fields) {
  std::string suffix(fields.string("suffix").value_or(""));
  if (!suffix.empty() && fields.boolean("echo").value_or(false)) {
    throw RequestRefused(
        unsupported_parameter("suffix", "a prompt with a gap cannot be given back with echo."));
  }
  return suffix;
}

}  // namespace

GenerationRequest read_completion_request(const json::object& body) {
  const JsonFields fields(body);
  refuse_unsupported(fields);
  refuse_members_that_bind(fields);
  GenerationRequest request;
  read_delivery(fields, request);
  request.suffix = read_suffix(fields);
  request.is_complete = request.suffix.empty();
  json::object document{{"kind", "generate"}};
  request.format_member = read_answer_format(fields, document);
  read_sampling(fields, document);
  read_budget(fields, document);
  if (const auto alternatives = fields.integer("logprobs", {0, kMaxAlternatives})) {
    request.wants_logprobs = true;
    request.num_alternatives = static_cast<std::uint32_t>(*alternatives);
    document["logprobs"] = request.num_alternatives;
    if (document.contains("echo")) document["prompt_logprobs"] = request.num_alternatives;
  }
  for (Prompt& prompt : read_prompts(fields)) {
    json::object own = document;
    if (request.is_complete && prompt.tokens.empty()) own["prompt"] = prompt.text;
    request.prompts.push_back({to_text(own), std::move(prompt.tokens), std::move(prompt.text)});
  }
  return request;
}

void prepare_completion(GenerationRequest& request, const TextClient& text) {
  const GapMarks marks = gap_marks(describe_model(text, request.model), "suffix");
  const std::vector<std::int32_t> suffix = text.tokenize(request.model, request.suffix, 0);
  for (EnginePrompt& prompt : request.prompts) {
    if (prompt.tokens.empty()) prompt.tokens = text.tokenize(request.model, prompt.echoed, 0);
    prompt.tokens = gap_prompt(marks, {.files = {}, .prefix = prompt.tokens, .suffix = suffix});
  }
}

}  // namespace vernal::openai_http
