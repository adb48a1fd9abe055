#include "text/request/token_rules.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "text/request/request_error.hpp"

namespace vernal {
namespace {

std::vector<std::string> read_banned(ObjectReader& reader, std::string_view key) {
  std::vector<std::string> texts;
  const boost::json::array* array = reader.find_array(key);
  if (array == nullptr) return texts;
  const std::string path = reader.path_of(key);
  if (array->size() > kMaxBannedTexts) {
    throw invalid_value(
        path, fmt::format("Invalid value for '{}': {} strings; at most {} are accepted.", path,
                          array->size(), kMaxBannedTexts));
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string element = fmt::format("{}[{}]", path, i);
    texts.push_back(read_string((*array)[i], element, kMaxBannedBytes));
    if (texts.back().empty()) {
      throw invalid_value(element,
                          fmt::format("Invalid value for '{}': it must not be empty.", element));
    }
  }
  return texts;
}

}  // namespace

TokenRules read_token_rules(ObjectReader& reader) {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  TokenRules rules;
  rules.min_tokens =
      static_cast<std::uint64_t>(reader.find_integer("min_tokens", 0, kNoLimit).value_or(0));
  rules.ignores_end = reader.find_bool("ignore_eos").value_or(false);
  rules.bad_words = read_banned(reader, "bad_words");
  rules.banned_strings = read_banned(reader, "banned_strings");
  return rules;
}

}  // namespace vernal
