// The tokens with which a model's vocabulary marks the parts of a fill-in-the-middle prompt.
#pragma once

#include "text/tokenizer/token_id.hpp"

namespace vernal {

class Tokenizer;

/// kNoToken for those that the vocabulary lacks.
struct InfillTokens {
  TokenId prefix = kNoToken;      ///< before the text in front of the gap
  TokenId suffix = kNoToken;      ///< before the text behind the gap
  TokenId middle = kNoToken;      ///< before what the model writes
  TokenId repository = kNoToken;  ///< before the name of a repository
  TokenId file = kNoToken;        ///< before the name of a file

  /// Whether a prompt can be made with them.
  bool are_complete() const noexcept {
    return prefix != kNoToken && suffix != kNoToken && middle != kNoToken;
  }
};

/// Looks for the texts that the known families use, such as "<|fim_prefix|>". Any thread.
InfillTokens find_infill_tokens(const Tokenizer& tokenizer) noexcept;

}  // namespace vernal
