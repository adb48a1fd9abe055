#include "text/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/printable.hpp"
#include "text/tokenizer/special_tokens.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// Checks and completes the vocabulary. Returns the tokens that end an answer.
std::vector<TokenId> prepare(Vocabulary& vocabulary) {
  validate_vocabulary(vocabulary);
  mark_special_tokens(vocabulary);
  return end_of_generation_tokens(vocabulary);
}

bool is_written_token(TokenType type) noexcept {
  return type == TokenType::kControl || type == TokenType::kUnknown ||
         type == TokenType::kUserDefined;
}

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary)
    : end_of_generation_(prepare(vocabulary)),
      table_(vocabulary),
      special_tokens_(table_),
      encoder_(make_encoder(vocabulary, table_)),
      bos_(vocabulary.bos),
      eos_(vocabulary.eos),
      eot_(vocabulary.eot),
      unknown_(vocabulary.unknown),
      padding_(vocabulary.padding),
      add_bos_(vocabulary.add_bos && vocabulary.bos != kNoToken),
      add_eos_(vocabulary.add_eos && vocabulary.eos != kNoToken),
      add_space_prefix_(vocabulary.add_space_prefix &&
                        vocabulary.model == TokenizerModel::kSentencePiece),
      composes_(vocabulary.normalization.composes) {
  collect_warnings(vocabulary);
}

Tokenizer::Encoder Tokenizer::make_encoder(const Vocabulary& vocabulary, const TokenTable& table) {
  if (vocabulary.model == TokenizerModel::kBytePair) {
    return Encoder(std::in_place_type<BytePairEncoder>, vocabulary, table);
  }
  return Encoder(std::in_place_type<SentencePieceEncoder>, vocabulary, table);
}

void Tokenizer::collect_warnings(const Vocabulary& vocabulary) {
  const auto* byte_pair = std::get_if<BytePairEncoder>(&encoder_);
  if (byte_pair != nullptr && !byte_pair->pre_tokenizer().is_known) {
    warnings_.emplace_back(
        "the file's tokenizer.ggml.pre is missing or unknown; words are cut as gpt-2 does, which "
        "lowers the quality of a model that was trained otherwise");
  }
  if (vocabulary.add_bos && vocabulary.bos == kNoToken) {
    warnings_.emplace_back("tokenizer.ggml.add_bos_token asks for a bos token, but there is none");
  }
  if (vocabulary.add_eos && vocabulary.eos == kNoToken) {
    warnings_.emplace_back("tokenizer.ggml.add_eos_token asks for an eos token, but there is none");
  }
  if (const std::string& step = vocabulary.normalization.unknown_step; !step.empty()) {
    warnings_.push_back(fmt::format(
        "the file's tokenizer.huggingface.json asks for the normalizer {}, which is not done",
        printable(step, 32)));
  }
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > kMaxTextBytes) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("the text has {} bytes, at most {} can be encoded", text.size(),
                            kMaxTextBytes));
  }
  SymbolMerger merger;
  std::vector<TokenId> tokens;
  if (options.add_special && add_bos_) tokens.push_back(bos_);

  std::size_t position = 0;
  bool at_border = true;
  while (position < text.size()) {
    const auto match = special_tokens_.find(text, position, options.parse_special);
    const std::size_t end = match ? match->begin : text.size();
    if (end > position) {
      encode_plain(text.substr(position, end - position), at_border, merger, tokens);
    }
    if (!match) break;
    tokens.push_back(match->id);
    position = end + match->length;
    at_border = true;
  }
  if (options.add_special && add_eos_) tokens.push_back(eos_);
  return tokens;
}

void Tokenizer::encode_plain(std::string_view text, bool at_border, SymbolMerger& merger,
                             std::vector<TokenId>& tokens) const {
  std::string composed;
  if (composes_) {
    composed = compose(text);
    text = composed;
  }
  std::string prefixed;
  if (add_space_prefix_ && at_border) {
    prefixed.reserve(text.size() + 1);
    prefixed.append(1, ' ').append(text);
    text = prefixed;
  }
  std::visit([&](const auto& encoder) { encoder.encode(text, merger, tokens); }, encoder_);
}

std::string_view Tokenizer::token_bytes(TokenId id) const noexcept {
  return table_.contains(id) ? table_.bytes(id) : std::string_view{};
}

std::string Tokenizer::decode(std::span<const TokenId> tokens, bool skip_special) const {
  std::string bytes;
  bool at_border = true;
  for (const TokenId id : tokens) {
    if (!table_.contains(id)) continue;
    std::string_view piece = table_.bytes(id);
    if (is_written_token(table_.type(id))) {
      if (!skip_special || !is_special(id)) bytes.append(piece);
      at_border = true;
      continue;
    }
    if (add_space_prefix_ && at_border && piece.starts_with(' ')) piece.remove_prefix(1);
    bytes.append(piece);
    at_border = false;
  }
  return bytes;
}

TokenId Tokenizer::find_token(std::string_view text) const noexcept {
  const TokenId id = special_tokens_.find_exact(text);
  return id != kNoToken ? id : table_.find(text);
}

std::size_t Tokenizer::memory_bytes() const noexcept {
  return table_.memory_bytes() + special_tokens_.memory_bytes() +
         std::visit([](const auto& encoder) { return encoder.memory_bytes(); }, encoder_);
}

bool Tokenizer::is_control(TokenId id) const noexcept {
  return table_.contains(id) && table_.type(id) == TokenType::kControl;
}

bool Tokenizer::is_special(TokenId id) const noexcept {
  return is_control(id) || (table_.contains(id) && table_.type(id) == TokenType::kUnknown);
}

bool Tokenizer::is_end_of_generation(TokenId id) const noexcept {
  return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), id);
}

}  // namespace vernal
