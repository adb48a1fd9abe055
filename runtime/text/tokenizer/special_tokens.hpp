// Tokens whose text has a meaning.
#pragma once

#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

// Many files do not say which tokens end an answer, or mark them as ordinary text. These functions
// know the texts that model families use: "<|im_end|>", "<end_of_turn>", "<|fim_pad|>", ...

/// Sets the type of every token with such a text to kControl, so that plain text cannot produce it.
void mark_special_tokens(Vocabulary& vocabulary);

/// The tokens after which generation ends, in ascending order. They are
///   - those that the metadata names as eos, eot, eom, and as padding, repository and separator of
///     fill-in-the-middle prompts
///   - those with a known text
/// "</s>" is one only if the metadata names it as eos. "<|end|>" is not one if "<|return|>" and
/// "<|call|>" exist: then it ends a message and not the answer. The vocabulary must be validated.
std::vector<TokenId> end_of_generation_tokens(const Vocabulary& vocabulary);

}  // namespace vernal
