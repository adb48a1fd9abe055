// Tokens that need not be sampled.
#pragma once

#include <span>
#include <vector>

#include "text/grammar/matcher.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::grammar {

/// The tokens of the text that every answer goes on with, as the tokenizer itself would cut it. A
/// model that is shown other tokens than it was trained on answers worse, so
///   - the text is encoded together with the last tokens of the answer, and those must come out again
///   - tokens at the end are left out if a token that the grammar allows begins with them and goes
///     further: the model chooses that one
/// Control tokens that the grammar names are forced as they are.
/// Forcing allows no less than the mask does. Empty if nothing is forced.
/// matcher   where the answer stands; its grammar has the vocabulary of `tokenizer`
/// recent    the last tokens of the answer; at most four are looked at
/// Thread    that of the grammar
/// Source    llguidance, docs/fast_forward.md, for looking back and for tokens at the end
std::vector<TokenId> forced_tokens(const Matcher& matcher, const Tokenizer& tokenizer,
                                   std::span<const TokenId> recent);

}  // namespace vernal::grammar
