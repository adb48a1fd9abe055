#include "openai_http/protocol/gap_prompt.hpp"

#include <boost/json.hpp>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

std::optional<std::int32_t> find_mark(const json::object& tokens, std::string_view key) {
  const json::value* const found = tokens.if_contains(key);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return static_cast<std::int32_t>(found->get_int64());
}

}  // namespace

GapMarks gap_marks(const json::object& facts, std::string_view param) {
  const json::value* const found = facts.if_contains("tokens");
  const json::object none;
  const json::object& tokens = found != nullptr && found->is_object() ? found->get_object() : none;
  const auto prefix = find_mark(tokens, "infill_prefix");
  const auto suffix = find_mark(tokens, "infill_suffix");
  const auto middle = find_mark(tokens, "infill_middle");
  if (!prefix || !suffix || !middle) {
    throw RequestRefused(unsupported_parameter(
        param, "the vocabulary of this model has no tokens for a prompt with a gap."));
  }
  GapMarks marks{*prefix,
                 *suffix,
                 *middle,
                 find_mark(tokens, "infill_repository"),
                 find_mark(tokens, "infill_file"),
                 {}};
  const json::value* const adds_bos = facts.if_contains("adds_bos");
  if (adds_bos != nullptr && *adds_bos == json::value(true)) marks.begin = find_mark(tokens, "bos");
  return marks;
}

std::vector<std::int32_t> gap_prompt(const GapMarks& marks, const GapParts& parts) {
  std::vector<std::int32_t> out;
  if (marks.begin) out.push_back(*marks.begin);
  out.insert(out.end(), parts.files.begin(), parts.files.end());
  out.push_back(marks.prefix);
  out.insert(out.end(), parts.prefix.begin(), parts.prefix.end());
  out.push_back(marks.suffix);
  out.insert(out.end(), parts.suffix.begin(), parts.suffix.end());
  out.push_back(marks.middle);
  return out;
}

}  // namespace vernal::openai_http
