// What a model file says about its tokens. It is read and checked here; then it becomes a
// Tokenizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer/normalization.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

class GgufFile;

/// How text becomes tokens.
enum class TokenizerModel : std::uint8_t {
  kBytePair,       ///< "gpt2": byte-level byte-pair encoding, with ranked merges inside words
  kSentencePiece,  ///< "llama": characters are merged by score, unknown ones become bytes
};

/// What a token is for. The numbers are those of the file.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,      ///< stands for text that cannot be encoded
  kControl = 3,      ///< structure, such as the end of a turn; never made from plain text
  kUserDefined = 4,  ///< found in any text, before the text is encoded
  kUnused = 5,
  kByte = 6,  ///< "<0x0A>": one byte
};

/// One row of the vocabulary.
struct VocabularyToken {
  std::string_view text;  ///< as stored; any bytes
  float score = 0.0F;     ///< sentence piece: a higher score merges first; NaN is refused
  TokenType type = TokenType::kNormal;
};

/// Limits that no known vocabulary reaches. They bound the time that a damaged or hostile file
/// takes.
inline constexpr std::size_t kMaxVocabularyTokens = std::size_t{1} << 24U;
inline constexpr std::size_t kMaxTokenTextBytes = 2048;

/// A tokenizer as the file describes it. Views borrow the file's bytes: use it while the file is
/// open.
struct Vocabulary {
  TokenizerModel model = TokenizerModel::kBytePair;
  std::string_view pre_tokenizer;        ///< byte-pair: "qwen2", "llama-bpe", ...; may be empty
  std::vector<VocabularyToken> tokens;   ///< by id
  std::vector<std::string_view> merges;  ///< byte-pair: "left right", the most important first

  TokenId bos = kNoToken;  ///< beginning of sequence
  TokenId eos = kNoToken;  ///< end of sequence
  TokenId eot = kNoToken;  ///< end of turn
  TokenId eom = kNoToken;  ///< end of a message that waits for a tool's answer
  TokenId unknown = kNoToken;
  TokenId separator = kNoToken;
  TokenId padding = kNoToken;
  TokenId fim_padding = kNoToken;     ///< of fill-in-the-middle prompts
  TokenId fim_repository = kNoToken;  ///< before the name of a repository
  TokenId fim_separator = kNoToken;   ///< between files

  bool add_bos = false;           ///< a prompt begins with bos
  bool add_eos = false;           ///< a text ends with eos (embedding models)
  bool add_space_prefix = false;  ///< sentence piece: a space is added at the start of a text
  Normalization normalization;    ///< of a text, before it is cut into words
};

/// Checks what Tokenizer relies on: there is at least one token, ids are in the vocabulary or
/// kNoToken, lengths are within the limits, no score is NaN, byte tokens are written "<0xHH>", and
/// merges have two parts. Several tokens may have the same text: a text becomes the lowest of them.
/// Merges of pieces that are no tokens are allowed, too; vocabularies that were cut have them.
/// Errors   VERNAL_INVALID_ARGUMENT: names the token, merge or id
void validate_vocabulary(const Vocabulary& vocabulary);

/// Reads the tokenizer.ggml.* entries of `file` and validates the result. Entries that are absent
/// get the values that files of that kind mean by their absence. An id of -1 or 4294967295 means
/// that there is none. The normalization is that of the entry tokenizer.huggingface.json; without
/// the entry, a text keeps its bytes. The result borrows from `file`.
/// Errors   VERNAL_UNSUPPORTED: a tokenizer model other than "gpt2" and "llama"
///          VERNAL_NOT_FOUND: no model, tokens, scores ("llama") or merges ("gpt2")
///          VERNAL_INVALID_ARGUMENT: an array that is shorter than the vocabulary, a value of a
///          wrong type, or an error of validate_vocabulary
Vocabulary read_vocabulary(const GgufFile& file);

/// The byte that the text "<0xHH>" of a byte token names; -1 if the text has another form.
int byte_of_token_text(std::string_view text) noexcept;

}  // namespace vernal
