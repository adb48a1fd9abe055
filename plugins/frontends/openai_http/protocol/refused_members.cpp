#include "openai_http/protocol/refused_members.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

using Judge = bool (*)(const json::value& value);

/// A member, what of it asks for something, and why that is refused.
struct BindingMember {
  std::string_view name;
  Judge asks;
  std::string_view why;
};

constexpr std::string_view kNoFormat =
    "this server has no rule of this name for the text of an answer; send response_format.";
constexpr std::string_view kNoTokenRule =
    "this server does not limit or end an answer by token ids or patterns.";
constexpr std::string_view kNoSound = "this server writes text only.";
constexpr std::string_view kNoBeams = "answers are drawn token by token.";
constexpr std::string_view kNoPromptLogprobs =
    "the logprobs of a prompt come with echo and logprobs of a completion.";

bool is_there(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return false;
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::string:
      return !value.get_string().empty();
    case json::kind::array:
      return !value.get_array().empty();
    case json::kind::object:
      return !value.get_object().empty();
    default:
      return value.to_number<double>() != 0;
  }
}

bool is_given(const json::value& value) { return !value.is_null(); }

bool has_other_than_text(const json::value& value) {
  if (!value.is_array()) return is_there(value) && value != "text";
  const json::array& kinds = value.get_array();
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const json::value& kind) { return kind != "text"; });
}

constexpr std::array kBindingMembers = {
    BindingMember{"structural_tag", is_there, kNoFormat},
    BindingMember{"allowed_token_ids", is_given, kNoTokenRule},
    BindingMember{"stop_token_ids", is_there, kNoTokenRule},
    BindingMember{"stop_regex", is_there, kNoTokenRule},
    BindingMember{"include_stop_str_in_output", is_there,
                  "the text of a stop string is never delivered."},
    BindingMember{"logits_processors", is_there, kNoTokenRule},
    BindingMember{"modalities", has_other_than_text, kNoSound},
    BindingMember{"audio", is_there, kNoSound},
    BindingMember{"use_beam_search", is_there, kNoBeams},
    BindingMember{"prompt_logprobs", is_given, kNoPromptLogprobs},
};

/// Of the members that begin so, those that are read (answer_format.hpp).
constexpr std::string_view kGuided = "guided_";
constexpr std::array<std::string_view, 4> kReadGuided = {"guided_json", "guided_regex",
                                                         "guided_choice", "guided_grammar"};

bool is_unread_guide(std::string_view name) {
  return name.starts_with(kGuided) &&
         std::find(kReadGuided.begin(), kReadGuided.end(), name) == kReadGuided.end();
}

[[noreturn]] void refuse(const JsonFields& fields, std::string_view name, std::string_view why) {
  throw RequestRefused(unsupported_parameter(fields.path_of(name), why));
}

}  // namespace

void refuse_members_that_bind(const JsonFields& fields) {
  for (const auto& [name, asks, why] : kBindingMembers) {
    const json::value* const value = fields.find(name);
    if (value != nullptr && asks(*value)) refuse(fields, name, why);
  }
  for (const std::string_view name : fields.names()) {
    const json::value* const value = is_unread_guide(name) ? fields.find(name) : nullptr;
    if (value != nullptr && is_there(*value)) refuse(fields, shortened(name), kNoFormat);
  }
}

}  // namespace vernal::openai_http
