#include "openai_http/native/completion_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/native/model_facts.hpp"
#include "openai_http/native/native_request.hpp"
#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/model_description.hpp"
#include "openai_http/protocol/refused_members.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNativePrompts = 64;
void refuse_what_binds(const JsonFields& fields) {
  refuse_members_that_bind(fields);
  if (fields.boolean("post_sampling_probs").value_or(false)) {
    throw RequestRefused(unsupported_parameter(
        "post_sampling_probs", "probabilities are those of the model, before the sampling chain."));
  }
  if (fields.integer("t_max_predict_ms", {-1e9, 1e9}).value_or(0) > 0) {
    throw RequestRefused(unsupported_parameter("t_max_predict_ms", "send n_predict instead."));
  }
}

/// The body with values that mean something of their own in this API put into common words.
json::object translated(const JsonFields& fields) {
  json::object out = fields.all();
  if (const json::value* const choices = fields.find("n_cmpl")) out["n"] = *choices;
  const json::value* const seed = fields.find("seed");
  constexpr std::int64_t kRandomSeed = 0xFFFFFFFF;
  if (seed != nullptr && (*seed == -1 || *seed == kRandomSeed)) out.erase("seed");
  const json::value* const temperature = fields.find("temperature");
  if (temperature != nullptr && temperature->is_number() && temperature->to_number<double>() < 0) {
    out["temperature"] = 0;
  }
  return out;
}

void read_budget(const JsonFields& fields, NativeRequest& native, json::object& document) {
  const std::string_view key = fields.find("n_predict") != nullptr ? "n_predict" : "max_tokens";
  const std::int64_t budget = fields.integer(key, {-1e15, 1e15}).value_or(-1);
  native.max_new_tokens = std::max<std::int64_t>(budget, -1);
  native.discards_text = budget == 0;
  if (budget >= 0) document["max_tokens"] = std::max<std::int64_t>(budget, 1);
}

/// The members of the body that are settings of a generation, as they were sent.
json::object settings_of(const json::object& body) {
  constexpr std::array<std::string_view, 12> kOthers = {
      "prompt",        "stream",     "model",           "response_fields",
      "return_tokens", "logit_bias", "input_prefix",    "input_suffix",
      "input_extra",   "id_slot",    "return_progress", "lora"};
  json::object out;
  for (const auto& [key, value] : body) {
    const std::string_view name(key.data(), key.size());
    if (std::find(kOthers.begin(), kOthers.end(), name) == kOthers.end()) out[key] = value;
  }
  return out;
}

std::vector<PromptPieces> read_native_prompts(const JsonFields& fields) {
  const json::value* const value = fields.find("prompt");
  if (value == nullptr) fields.refuse("prompt", "a string or token ids");
  const json::array* const list = value->if_array();
  const auto is_number = [](const json::value& element) { return element.is_number(); };
  const auto is_list = [](const json::value& element) { return element.is_array(); };
  // A list without a number is a list of prompts, unless it is empty.
  const bool has_several = list != nullptr && !list->empty() &&
                           (std::none_of(list->begin(), list->end(), is_number) ||
                            std::any_of(list->begin(), list->end(), is_list));
  if (!has_several) return {read_pieces(fields, "prompt", *value)};
  if (list->size() > kMaxNativePrompts) {
    fields.refuse("prompt", fmt::format("at most {} prompts", kMaxNativePrompts));
  }
  std::vector<PromptPieces> prompts;
  for (const json::value& element : *list) {
    prompts.push_back(read_pieces(fields, "prompt", element));
  }
  return prompts;
}

}  // namespace

void read_native_settings(const JsonFields& fields, GenerationRequest& request,
                          json::object& document) {
  refuse_what_binds(fields);
  NativeRequest& native = *request.native;
  native.sent_settings = settings_of(fields.all());
  const json::object body = translated(fields);
  const JsonFields common(body);
  read_delivery(common, request);
  request.is_complete = false;
  request.format_member = read_answer_format(common, document);
  read_sampling(common, document);
  read_budget(fields, native, document);
  if (const auto alternatives = fields.integer("n_probs", {0, kMaxAlternatives});
      alternatives.value_or(0) > 0) {
    request.wants_logprobs = true;
    request.num_alternatives = static_cast<std::uint32_t>(*alternatives);
    document["logprobs"] = request.num_alternatives;
  }
  if (const json::array* const members = fields.array("response_fields")) {
    for (const json::value& member : *members) {
      if (!member.is_string()) fields.refuse("response_fields", "an array of strings");
      native.response_fields.emplace_back(text_of(member.get_string()));
    }
  }
  if (!fields.boolean("cache_prompt").value_or(true)) document["cache_prompt"] = false;
  native.returns_tokens = fields.boolean("return_tokens").value_or(false);
  native.returns_progress = fields.boolean("return_progress").value_or(false);
  native.returns_timings = fields.boolean("timings_per_token").value_or(false);
}

void apply_model_facts(GenerationRequest& request, const json::object& facts) {
  NativeRequest& native = *request.native;
  native.settings = default_generation_settings(facts);
  for (const auto& [key, value] : native.sent_settings) native.settings[key] = value;
  native.settings["n_predict"] = native.max_new_tokens;
  native.settings["max_tokens"] = native.max_new_tokens;
  native.settings["stream"] = request.is_streamed;
}

GenerationRequest read_native_completion(const json::object& body) {
  const JsonFields fields(body);
  GenerationRequest request;
  request.native = std::make_shared<NativeRequest>();
  json::object document{{"kind", "generate"}};
  read_native_settings(fields, request, document);
  request.native->prompts = read_native_prompts(fields);
  for (const PromptPieces& pieces : request.native->prompts) {
    json::object own = document;
    const bool is_text = pieces.size() == 1 && std::holds_alternative<std::string>(pieces.front());
    if (is_text) own["prompt"] = std::get<std::string>(pieces.front());
    request.prompts.push_back({to_text(own), {}});
  }
  return request;
}

void prepare_native_completion(GenerationRequest& request, const TextClient& text) {
  NativeRequest& native = *request.native;
  for (std::size_t i = 0; i < native.prompts.size(); ++i) {
    const PromptPieces& pieces = native.prompts[i];
    if (pieces.size() == 1 && std::holds_alternative<std::string>(pieces.front())) {
      native.prompt_texts.push_back(std::get<std::string>(pieces.front()));
      continue;
    }
    std::vector<std::int32_t> tokens =
        tokenize_pieces(text, request.model, pieces, {.add_special = true});
    if (tokens.empty()) {
      throw RequestRefused(invalid_value(
          "prompt", "Invalid value for 'prompt': it has no tokens; at least one is needed."));
    }
    native.prompt_texts.push_back(text.detokenize(request.model, tokens));
    request.prompts[i].tokens = std::move(tokens);
  }
  apply_model_facts(request, describe_model(text, request.model));
}

}  // namespace vernal::openai_http
