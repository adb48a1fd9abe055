// A smaller tokenizer out of that of a model file.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/gguf_file.hpp"
#include "model/gguf_file_writer.hpp"

namespace vernal {

struct CutTokenizer {
  std::uint64_t num_tokens = 0;
  std::vector<std::pair<std::string, GgufValue>> entries;  // "tokenizer.*", in the file's order
};

/// The tokenizer of `file` with `num_tokens` tokens (0: all). Kept are all tokens that are not
/// plain text (control, unknown, byte, user-defined), then plain ones from the front, which are the
/// shorter ones; merges stay if both halves and their result do; ids are renumbered in the file's
/// order, and keys that name a dropped id are left out. More tokens than there are: the rest is
/// unused ones. Every other key is copied, the chat template too.
/// Errors   VERNAL_NOT_FOUND: the file has no tokenizer; VERNAL_INVALID_ARGUMENT: it contradicts
///          itself, or has more special tokens than `num_tokens`.
CutTokenizer cut_tokenizer(const GgufFile& file, std::uint64_t num_tokens);

}  // namespace vernal
