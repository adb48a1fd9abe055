#include "openai_http/native/model_facts.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

json::value member_or(const json::object& object, std::string_view key,
                      const json::value& otherwise) {
  const json::value* const found = object.if_contains(key);
  return found == nullptr || found->is_null() ? otherwise : *found;
}

json::object parse_description(std::string_view text) {
  json::value parsed = json::parse(text);
  return parsed.is_object() ? parsed.get_object() : json::object();
}

/// {"n_ctx", "params", "next_token"}: what GET /props and each slot have in common.
json::object slot_facts(const ModelInfo& model, const SlotInfo& slot,
                        const json::object& settings) {
  const std::uint64_t remaining =
      slot.max_new_tokens - std::min(slot.max_new_tokens, slot.generated_tokens);
  const bool is_processing = slot.request != 0;
  json::array next;
  next.push_back(
      json::object{{"has_next_token", is_processing},
                   {"has_new_line", false},
                   {"n_remain", is_processing ? json::value(remaining) : json::value(-1)},
                   {"n_decoded", slot.generated_tokens}});
  return {{"id", slot.slot == 0 ? 0 : slot.slot - 1},
          {"id_task", is_processing ? json::value(slot.request) : json::value(-1)},
          {"n_ctx", model.context_length},
          {"speculative", false},
          {"is_processing", is_processing},
          {"n_prompt_tokens", slot.prompt_tokens},
          {"n_prompt_tokens_processed", std::min(slot.prompt_tokens, slot.computed_tokens)},
          {"params", settings},
          {"next_token", std::move(next)}};
}

}  // namespace

json::object default_generation_settings(const json::object& description) {
  const json::value budget = member_or(description, "max_tokens", -1);
  json::object out{{"n_predict", budget},   {"max_tokens", budget}, {"seed", -1},
                   {"stop", json::array()}, {"stream", false},      {"n_probs", 0},
                   {"ignore_eos", false},   {"cache_prompt", true}};
  const json::value* const sampling = description.if_contains("sampling");
  if (sampling == nullptr || !sampling->is_object()) return out;
  for (const auto& [key, value] : sampling->get_object()) {
    const bool is_penalty = key == "repetition_penalty";
    const bool is_range = key == "penalty_last_n";
    out[is_penalty ? "repeat_penalty" : is_range ? "repeat_last_n" : key] = value;
  }
  return out;
}

std::string render_props(const ModelInfo& model, std::string_view description) {
  const json::object facts = parse_description(description);
  const SlotInfo any;
  json::object out{
      {"default_generation_settings", slot_facts(model, any, default_generation_settings(facts))},
      {"total_slots", model.num_slots},
      {"model_alias", to_valid_utf8(model.id)},
      {"model_path", to_valid_utf8(model.id)},
      {"modalities", json::object{{"vision", false}, {"audio", false}}},
      {"endpoint_slots", true},
      {"endpoint_props", false},
      {"endpoint_metrics", true},
      {"chat_template", member_or(facts, "chat_template", "")},
      {"chat_template_caps", member_or(facts, "chat_template_caps", json::object())},
      {"bos_token", member_or(facts, "bos_token", "")},
      {"eos_token", member_or(facts, "eos_token", "")},
      {"build_info", "vernal " VERNAL_HTTP_VERSION}};
  const json::value tool_use = member_or(facts, "chat_template_tool_use", nullptr);
  if (!tool_use.is_null()) out["chat_template_tool_use"] = tool_use;
  return to_text(out);
}

std::string render_slots(const ModelInfo& model, const std::vector<SlotInfo>& slots,
                         std::string_view description) {
  const json::object settings = default_generation_settings(parse_description(description));
  json::array out;
  for (const SlotInfo& slot : slots) out.push_back(slot_facts(model, slot, settings));
  return to_text(json::value(std::move(out)));
}

}  // namespace vernal::openai_http
