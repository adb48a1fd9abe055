// What a model file says about its tokens, read and checked, before it becomes a Tokenizer.
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
  kBytePair,       ///< "gpt2": byte-level byte-pair encoding: ranked merges within words
  kSentencePiece,  ///< "llama": characters merged by score, bytes for unknown characters
};

/// What a token is for; numbered as in the file.
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,      ///< stands for what cannot be encoded
  kControl = 3,      ///< structure such as end of turn; never produced from plain text
  kUserDefined = 4,  ///< found in any text before everything else
  kUnused = 5,
  kByte = 6,  ///< "<0x0A>": one byte
};

/// One row of the vocabulary.
struct VocabularyToken {
  std::string_view text;  ///< as stored; any bytes
  float score = 0.0F;     ///< sentence piece: higher merges first; never NaN once validated
  TokenType type = TokenType::kNormal;
};

/// Limits beyond any known vocabulary, so that a damaged or hostile file costs bounded time.
inline constexpr std::size_t kMaxVocabularyTokens = std::size_t{1} << 24U;
inline constexpr std::size_t kMaxTokenTextBytes = 2048;

/// A tokenizer as the file describes it. The views borrow the file's bytes: use while the file is
/// open.
struct Vocabulary {
  TokenizerModel model = TokenizerModel::kBytePair;
  std::string_view pre_tokenizer;        ///< byte-pair: "qwen2", "llama-bpe", ...; may be empty
  std::vector<VocabularyToken> tokens;   ///< by id
  std::vector<std::string_view> merges;  ///< byte-pair: "left right", the most important first

  TokenId bos = kNoToken;  ///< beginning of sequence
  TokenId eos = kNoToken;  ///< end of sequence
  TokenId eot = kNoToken;  ///< end of turn
  TokenId eom = kNoToken;  ///< end of message (a tool's answer is awaited)
  TokenId unknown = kNoToken;
  TokenId separator = kNoToken;
  TokenId padding = kNoToken;
  TokenId fim_padding = kNoToken;     ///< of fill-in-the-middle prompts
  TokenId fim_repository = kNoToken;  ///< before the name of a repository
  TokenId fim_separator = kNoToken;   ///< between files

  bool add_bos = false;           ///< a prompt begins with bos
  bool add_eos = false;           ///< a text ends with eos (embedding models)
  bool add_space_prefix = false;  ///< sentence piece: text begins with a space that is not shown
  Normalization normalization;    ///< of text, before it is cut into words
};

/// Checks what Tokenizer relies on: at least one token, ids within the vocabulary or kNoToken,
/// lengths within the limits, no NaN score, byte tokens written "<0xHH>", merges of two parts.
/// Tokens with the same text are allowed: the lowest id is what text becomes. Merges of pieces that
/// are no tokens are allowed too; vocabularies that were cut have them.
/// Errors   VERNAL_INVALID_ARGUMENT, naming the token, merge or id.
void validate_vocabulary(const Vocabulary& vocabulary);

/// Reads the tokenizer.ggml.* entries of `file`, fills in what they leave out as files of that kind
/// mean it, and validates the result. How text is normalised stands in tokenizer.huggingface.json, the
/// only key that can say it; without that key text keeps its bytes. An id of -1 or 4294967295 means "none". The result borrows
/// from `file`.
/// Errors   VERNAL_UNSUPPORTED: another tokenizer model than "gpt2" and "llama";
///          VERNAL_NOT_FOUND: no model, tokens, scores ("llama") or merges ("gpt2");
///          VERNAL_INVALID_ARGUMENT: an array shorter than the vocabulary, a value of the wrong
///          type, or what validate_vocabulary refuses.
Vocabulary read_vocabulary(const GgufFile& file);

/// The byte that a byte token's text "<0xHH>" names, or -1 where the text has another form.
int byte_of_token_text(std::string_view text) noexcept;

}  // namespace vernal
