// Which tokens and texts an answer must not have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/request/json_reader.hpp"

namespace vernal {

/// The rules of one request. The values here rule nothing.
struct TokenRules {
  std::uint64_t min_tokens = 0;  ///< an end-of-generation token does not come before so many others
  bool ignores_end = false;      ///< it never comes
  /// Texts that must not stand in the answer, byte for byte. The token that would complete one does
  /// not come.
  std::vector<std::string> bad_words;
  /// The same, whatever the case of ASCII letters. The answer is taken back to before the token in
  /// which such a text begins, and goes on in another way.
  std::vector<std::string> banned_strings;
};

inline constexpr std::size_t kMaxBannedTexts = 1024;
inline constexpr std::size_t kMaxBannedBytes = 256;

/// Reads min_tokens, ignore_eos, bad_words and banned_strings of a request document.
/// Errors   RequestError, naming the field
TokenRules read_token_rules(ObjectReader& reader);

}  // namespace vernal
