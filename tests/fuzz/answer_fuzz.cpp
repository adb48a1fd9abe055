// Takes arbitrary answers apart. The first byte chooses the family, the second how the answer begins
// and ends and where it is cut. Two cuts must give the same, and nothing may be thrown.
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_parser.hpp"

namespace {

using vernal::AnswerDelta;

const std::vector<vernal::ToolDefinition>& tools() {
  static const std::vector<vernal::ToolDefinition> all = vernal::read_tools(boost::json::parse(R"([
    {"name": "f", "parameters": {"type": "object", "properties": {
      "s": {"type": "string"}, "i": {"type": "integer"}, "a": {"type": "array"}, "u": {},
      "e": {"enum": ["x", 1, null]}, "n": {"anyOf": [{"type": "number"}, {"type": "null"}]}}}},
    {"name": "python", "parameters": {"type": "object", "properties": {"code": {"type": "string"}}}}])")
                                                                                .as_array());
  return all;
}

/// All deltas as one text, with a byte between two parts.
void add(const std::vector<AnswerDelta>& deltas, std::string& out, std::string& last) {
  for (const AnswerDelta& delta : deltas) {
    const std::string part =
        std::to_string(static_cast<int>(delta.part)) + "/" +
        (delta.part > vernal::AnswerPart::kContent ? std::to_string(delta.call) : "");
    if (part != last) out += "\x01" + part + "\x01";
    last = part;
    out += delta.text;
  }
}

std::string parse(const vernal::AnswerSyntax& syntax, std::uint8_t how, std::string_view text,
                  std::size_t piece) {
  vernal::AnswerParser parser(syntax, tools(), {.is_thinking = (how & 1U) != 0});
  std::string out;
  std::string last;
  while (!text.empty()) {
    add(parser.push(text.substr(0, piece)), out, last);
    text.remove_prefix(std::min(piece, text.size()));
  }
  const bool is_stop = (how & 2U) != 0;
  add(parser.finish(is_stop ? vernal::AnswerEnd::kStop : vernal::AnswerEnd::kLength), out, last);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const std::vector<std::string> families = vernal::answer_families();
  const vernal::AnswerSyntax& syntax =
      *vernal::find_answer_syntax(families[data[0] % families.size()]);
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string whole = parse(syntax, data[1], text, text.size() + 1);
  const std::size_t piece = 1 + (data[1] >> 2U) % 16;
  if (parse(syntax, data[1], text, piece) != whole) std::abort();
  return 0;
}
