#include "text/answer/probe/call_reading.hpp"

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "text/answer/answer_parser.hpp"
#include "text/answer/probe/conversations.hpp"
#include "text/answer/probe/printed_tags.hpp"

namespace vernal::probe {
namespace {

namespace json = boost::json;

}  // namespace

Reading read_with(const AnswerSyntax& syntax, std::string_view text) {
  AnswerParser parser(syntax, probe_tools(), {});
  std::vector<AnswerDelta> deltas = parser.push(text);
  for (AnswerDelta& delta : parser.finish(AnswerEnd::kStop)) deltas.push_back(std::move(delta));
  Reading reading;
  std::string name;
  std::string arguments;
  for (const AnswerDelta& delta : deltas) {
    if (delta.part == AnswerPart::kContent) reading.num_content += stripped(delta.text).size();
    if (delta.part == AnswerPart::kCallBegin) name += delta.text;
    if (delta.part == AnswerPart::kCallArguments) arguments += delta.text;
  }
  json::error_code error;
  const json::value value = json::parse(arguments, error);
  json::object expected;
  expected[kExampleKey] = json::string(kExampleValue.data(), kExampleValue.size());
  // Where the id holds the name, a history's id is printed for it.
  const bool is_named = name == kExampleTool || name == kExampleId;
  reading.is_right = parser.num_calls() == 1 && is_named && !error && value == expected;
  return reading;
}

}  // namespace vernal::probe
