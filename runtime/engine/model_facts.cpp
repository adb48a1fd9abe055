#include "engine/model_facts.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "text/chat_template.hpp"
#include "text/request/sampling_bounds.hpp"
#include "text/tokenizer/infill_tokens.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

json::value token_or_null(TokenId id) {
  return id == kNoToken ? json::value(nullptr) : json::value(id);
}

json::object special_tokens(const Tokenizer& tokenizer) {
  const InfillTokens infill = find_infill_tokens(tokenizer);
  return {{"bos", token_or_null(tokenizer.bos())},
          {"eos", token_or_null(tokenizer.eos())},
          {"eot", token_or_null(tokenizer.eot())},
          {"infill_prefix", token_or_null(infill.prefix)},
          {"infill_suffix", token_or_null(infill.suffix)},
          {"infill_middle", token_or_null(infill.middle)},
          {"infill_repository", token_or_null(infill.repository)},
          {"infill_file", token_or_null(infill.file)}};
}

json::value source_or_null(const std::shared_ptr<const ChatTemplate>& chat_template) {
  return chat_template ? json::value(json::string(chat_template->source())) : json::value(nullptr);
}

/// Texts of tokens may be no characters; a JSON document has characters only.
std::string text_of_token(const Tokenizer& tokenizer, TokenId id) {
  Detokenizer detokenizer(tokenizer, false);
  const std::string text = detokenizer.push(id);
  return text + detokenizer.flush();
}

json::object sampling_of(const SamplingOptions& sampling) {
  json::object out;
  for (const SamplingNumber& number : kSamplingNumbers) out[number.name] = sampling.*number.member;
  for (const SamplingCount& count : kSamplingCounts) out[count.name] = sampling.*count.member;
  // What is below the bounds means that the penalties have scopes of their own.
  if (sampling.penalty_last_n == SamplingOptions::kOwnScopes) out.erase("penalty_last_n");
  return out;
}

}  // namespace

std::string describe_model(std::string_view name, const ModelEngine& engine,
                           const RequestDefaults& defaults) {
  const LoadedModel& model = engine.model();
  const Tokenizer& tokenizer = *model.tokenizer;
  json::object out{{"id", name},
                   {"architecture", model.architecture},
                   {"description", model.description},
                   {"context_length", model.context_length},
                   {"vocabulary_size", model.vocabulary_size},
                   {"num_slots", model.slots},
                   {"bos_token", text_of_token(tokenizer, tokenizer.bos())},
                   {"eos_token", text_of_token(tokenizer, tokenizer.eos())},
                   {"adds_bos", tokenizer.adds_bos()},
                   {"tokens", special_tokens(tokenizer)},
                   {"chat_template", source_or_null(model.chat_template)},
                   {"chat_template_tool_use", source_or_null(model.tool_use_template)},
                   {"thinking", defaults.thinking},
                   {"sampling", sampling_of(defaults.sampling)}};
  out["max_tokens"] =
      defaults.max_tokens ? json::value(*defaults.max_tokens) : json::value(nullptr);
  if (const TemplateCapabilities* const can = engine.prompts().chat_capabilities()) {
    out["chat_template_caps"] = {{"supports_system_role", can->supports_system_role},
                                 {"supports_tools", can->supports_tools},
                                 {"supports_tool_calls", can->supports_tool_calls},
                                 {"supports_parallel_tool_calls", !can->takes_one_call_a_message},
                                 {"supports_thinking_switch", can->has_thinking_switch}};
  }
  return json::serialize(out);
}

}  // namespace vernal
