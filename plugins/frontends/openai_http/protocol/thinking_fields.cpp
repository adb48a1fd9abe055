#include "openai_http/protocol/thinking_fields.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// Efforts the engine hands to templates; others say nothing.
constexpr std::array<std::string_view, 7> kEfforts = {"minimal", "low", "medium", "high",
                                                      "xhigh",   "max", "ultra"};

void read_effort(std::string_view effort, json::object& document) {
  if (effort == "none") {
    document["thinking"] = "off";
  } else if (std::find(kEfforts.begin(), kEfforts.end(), effort) != kEfforts.end()) {
    document["thinking"] = effort;
  }
}

/// {"effort": ..., "enabled": ...}
void read_reasoning(const JsonFields& reasoning, json::object& document) {
  if (const auto effort = reasoning.string("effort")) read_effort(*effort, document);
  const json::value* const enabled = reasoning.find("enabled");
  if (enabled != nullptr && enabled->is_bool() && !enabled->get_bool()) {
    document["thinking"] = "off";
  }
}

/// The names by which clients limit a model's thinking, in tokens.
void read_thinking_budget(const JsonFields& fields, json::object& document) {
  constexpr Range kBudget{0, 1e9};
  std::optional<std::int64_t> budget = fields.integer("thinking_budget", kBudget);
  if (!budget) budget = fields.integer("thinking_budget_tokens", kBudget);
  const json::value* const thinking = fields.find("thinking");
  if (!budget && thinking != nullptr && thinking->is_object()) {
    budget = JsonFields(thinking->get_object(), "thinking.").integer("budget_tokens", kBudget);
  }
  const json::value* const reasoning = fields.find("reasoning");
  if (!budget && reasoning != nullptr && reasoning->is_object()) {
    budget = JsonFields(reasoning->get_object(), "reasoning.").integer("max_tokens", kBudget);
  }
  if (budget) document["thinking_budget"] = *budget;
}

}  // namespace

void read_thinking(const JsonFields& fields, json::object& document) {
  if (const auto effort = fields.string("reasoning_effort")) read_effort(*effort, document);
  const json::value* const think = fields.find("think");
  if (think != nullptr && think->is_bool()) document["thinking"] = think->get_bool() ? "on" : "off";
  const json::value* const reasoning = fields.find("reasoning");
  if (reasoning != nullptr && reasoning->is_object()) {
    read_reasoning(JsonFields(reasoning->get_object(), "reasoning."), document);
  }
  read_thinking_budget(fields, document);
  if (const json::object* const arguments = fields.object("chat_template_kwargs")) {
    if (!arguments->empty()) document["template_kwargs"] = *arguments;
  }
}

}  // namespace vernal::openai_http
