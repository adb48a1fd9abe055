// The items that an answer of the Responses API consists of.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

namespace vernal::openai_http {

/// One item of an answer, as far as the model has written it.
struct OutputItem {
  enum class Kind { kMessage, kReasoning, kCall };
  Kind kind = Kind::kMessage;
  std::string id;                           // "msg_...", "rs_..." or "fc_..."
  std::string call_id{};                    // of a call: "call_..."
  std::string name{};                       // of a call: the function's
  std::string text{};                       // of a call: its arguments
  boost::json::array logprobs{};            // of a message, if they are asked for
  std::string_view status = "in_progress";  // then "completed" or "incomplete"
};

/// The item as an object of the API. While it is in progress it has no content and no arguments:
/// events tell them.
boost::json::object item_object(const OutputItem& item);

/// The one content part of a message or of reasoning: {"type": "output_text", "text", ...}.
///   is_begun   the part as it is announced, without its text
boost::json::object part_object(const OutputItem& item, bool is_begun = false);

}  // namespace vernal::openai_http
