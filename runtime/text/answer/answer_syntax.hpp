// How a family of models writes thinking and calls: the marks, and the form of what is in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/values/value_transducer.hpp"

namespace vernal {

/// What stands behind an opening mark.
enum class CallForm : std::uint8_t {
  kJson,       ///< objects with name and arguments, in a list or one after the other
  kHeaded,     ///< a name, then a JSON object
  kTags,       ///< a name in a tag, each argument in tags
  kFirstByte,  ///< in <tool_call>: JSON, tags, or a name and tags, as the first byte says
  kFunctions,  ///< N(k='v'), M() in a list, or N.call(k="v"), or JSON
  kMarked,     ///< N{k:value} with marked strings
  kCode,       ///< behind <|python_tag|>: JSON, N.call(k="v"), or code
};

/// Tags with a parameter each. `{}` stands for the key in parameter_close.
struct TagForm {
  std::string function_open{};  ///< before the name
  std::string name_end{};       ///< behind the name; empty: white space or a tag ends it
  std::string function_end{};   ///< behind attributes of the opening tag; empty: name_end ends it
  std::vector<std::string> function_closes{};
  std::string parameter_open{};  ///< before the key
  std::string key_end{};
  std::string value_open{};  ///< behind attributes of the parameter; empty: key_end ends it
  std::string parameter_close{};
  bool has_line_breaks = false;     ///< a line break at each end of a value is layout
  bool has_character_data = false;  ///< <![CDATA[...]]> around a value is layout
  bool has_elements = false;        ///< lists and objects are elements with the same prefix
  std::string element_prefix{};     ///< before each tag
};

/// A name and a JSON object.
struct HeadForm {
  std::vector<std::string> name_ends{};  ///< behind the name
  std::string id_mark{};                 ///< behind the name, before an id
  std::string arguments_mark{};          ///< before the object, where it may stand or not
  bool brace_ends_name = false;
  bool type_stands_first = false;  ///< "function", then the name on a line of its own
  bool name_is_id = false;         ///< the id is functions.N:i and holds the name
  std::vector<std::string> call_closes{};
};

/// A mark behind which calls stand.
struct CallOpening {
  std::string mark{};
  CallForm form = CallForm::kJson;
  /// False: plain text that may be something else. Only an offered tool's name makes a call.
  bool is_marked = true;
  bool begins_line = false;               ///< counts only where a line begins
  bool is_kept = false;                   ///< the form reads the mark itself: it stays in the text
  bool may_be_fenced = false;             ///< ```json ... ``` around what is in it
  bool id_stands_behind = false;          ///< the id comes after the arguments: a call waits for it
  bool key_is_name = false;               ///< {"N": {...}}
  std::vector<std::string> call_opens{};  ///< further calls of the section, and the first one
  std::vector<std::string> closes{};      ///< of the section or the call
  TagForm tags{};
  TagForm name_tags{};  ///< kFirstByte: where neither JSON nor a tag follows
  HeadForm head{};
  ValueStyle values = ValueStyle::kPython;  ///< kFunctions, kMarked
  std::string string_mark{};                ///< kMarked
};

/// Marks around the thinking or around the answer itself.
struct MarkPair {
  std::string open{};
  std::string close{};
  /// A token of its own, which is never text. Else it counts only before content, and the closing
  /// one only at the end.
  bool is_control = false;
  std::string prompt{};  ///< a sentence by which a prompt opens it without the mark
};

/// The words of AnswerSyntax::example, which no template contains by itself and no printer escapes.
inline constexpr std::string_view kExampleTool = "zyx_tool";
inline constexpr std::string_view kExampleKey = "zyx_key";
inline constexpr std::string_view kExampleValue = "Zyxvalue";
inline constexpr std::string_view kExampleId = "zyx000001";

/// The syntax of answers. Immutable.
struct AnswerSyntax {
  std::string family{};
  std::vector<MarkPair> thinking{};
  std::vector<MarkPair> wrappers{};
  std::vector<CallOpening> openings{};
  /// Other marks that belong to no text: dropped behind a call.
  std::vector<std::string> orphans{};
  bool has_channels = false;    ///< gpt-oss: messages with channels and recipients
  bool has_recipients = false;  ///< the prompt ends with >>>: a recipient comes first
  /// What the template writes behind the reasoning: forced text that ends the thinking.
  std::string thinking_end{};
  /// One call as models write it: of a tool with one argument, in the words above.
  std::string example{};

  /// Whether answers can hold anything but content when no tools are offered.
  bool has_thinking() const noexcept { return has_channels || !thinking.empty(); }
};

/// The syntax of a family by its name, such as "hermes"; null if there is none. It includes fenced
/// and bare objects wherever the family's marks are plain text.
const AnswerSyntax* find_answer_syntax(std::string_view family);
/// The text that ends the thinking when it is forced: what the template writes behind reasoning, or
/// what models of the family write.
std::string text_behind_thinking(const AnswerSyntax& syntax);
/// Whether a control token's text stands in one of the marks: then it is a part of the syntax.
bool is_part_of_mark(std::string_view text, const AnswerSyntax& syntax);
/// Where several families share a mark: the name of the one whose form a printed call has.
void name_by_form(std::string_view printed, AnswerSyntax& syntax);
/// The names of all families, those first that are preferred where several read the same.
std::vector<std::string> answer_families();

}  // namespace vernal
