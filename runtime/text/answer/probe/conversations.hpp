// The conversations that a probe renders.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.hpp"
#include "text/request/chat_message.hpp"
#include "text/template_probe.hpp"

namespace vernal::probe {

// Words that no template contains by itself, as those of AnswerSyntax::example. Its words are in the
// call.
inline constexpr std::string_view kText = "Zyxtext";         ///< of the answer
inline constexpr std::string_view kReasoning = "Zyxreason";  ///< before it
inline constexpr std::string_view kResult = "Zyxresult";     ///< of the call

/// The tool that is called, alone.
const std::vector<ToolDefinition>& probe_tools();

/// Renders short conversations with one template, which it borrows. What the template refuses or
/// cannot do is an empty text.
class Conversations {
 public:
  Conversations(const ChatTemplate& chat_template, const TemplateCapabilities& capabilities);

  /// Before the assistant speaks; with the text that makes it speak.
  std::string prompt(bool generates) const;
  std::string with_call() const;
  /// An answer, with reasoning before it or without.
  std::string with_answer(bool has_reasoning) const;
  /// A call with reasoning before it: some templates keep reasoning only there.
  std::string with_reasoned_call() const;

 private:
  boost::json::object user() const;
  boost::json::value empty_content() const;
  boost::json::object call() const;
  std::string render(boost::json::array messages, bool generates) const;

  const ChatTemplate& template_;
  const TemplateCapabilities& capabilities_;
  RenderLimits limits_;
};

}  // namespace vernal::probe
