// Prompts with a gap that the answer is to fill, made of a model's own tokens for that.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vernal::openai_http {

/// The tokens that stand around the parts of such a prompt.
struct GapMarks {
  std::int32_t prefix, suffix, middle;
  std::optional<std::int32_t> repository, file;  // in front of names
  std::optional<std::int32_t> begin;             // of every prompt
};

/// The marks of a model.
///   facts   its description
///   param   the member of the request that asks for them
/// Throws RequestRefused (unsupported_parameter) if its vocabulary has none.
GapMarks gap_marks(const boost::json::object& facts, std::string_view param);

struct GapParts {
  std::vector<std::int32_t> files;  // what is to be known beside the gap, with its names
  std::vector<std::int32_t> prefix;
  std::vector<std::int32_t> suffix;
};

/// Files, prefix and suffix, and the mark behind which the answer begins.
std::vector<std::int32_t> gap_prompt(const GapMarks& marks, const GapParts& parts);

}  // namespace vernal::openai_http
