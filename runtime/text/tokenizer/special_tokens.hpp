// Tokens that mean something by their text.
#pragma once

#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

/// Files often leave out which tokens end an answer, or mark them as ordinary text. This fills it
/// in by the texts that model families use ("<|im_end|>", "<end_of_turn>", "<|fim_pad|>", ...).

/// Sets the type of every token with such a text to kControl, so that plain text cannot produce it.
void mark_special_tokens(Vocabulary& vocabulary);

/// The tokens after which generation ends, ascending: eos, eot, eom and the fill-in-the-middle
/// padding, repository and separator of the metadata, and all tokens whose text says so. "</s>"
/// belongs to them only as the eos of the metadata. "<|end|>" does not where "<|return|>" and
/// "<|call|>" exist: there it ends a message and not the answer. The vocabulary is validated.
std::vector<TokenId> end_of_generation_tokens(const Vocabulary& vocabulary);

}  // namespace vernal
