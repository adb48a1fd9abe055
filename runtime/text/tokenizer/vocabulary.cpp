#include "text/tokenizer/vocabulary.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "model/gguf_file.hpp"
#include "model/printable.hpp"
#include "text/tokenizer/pre_tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(VERNAL_INVALID_ARGUMENT, "vocabulary: " + message);
}

int hexadecimal_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// An id that the metadata names: its key, and its member of Vocabulary.
struct NamedId {
  std::string_view key;
  TokenId Vocabulary::*member;
};

constexpr std::array<NamedId, 10> kNamedIds{{
    {"tokenizer.ggml.bos_token_id", &Vocabulary::bos},
    {"tokenizer.ggml.eos_token_id", &Vocabulary::eos},
    {"tokenizer.ggml.eot_token_id", &Vocabulary::eot},
    {"tokenizer.ggml.eom_token_id", &Vocabulary::eom},
    {"tokenizer.ggml.unknown_token_id", &Vocabulary::unknown},
    {"tokenizer.ggml.seperator_token_id", &Vocabulary::separator},  // files misspell it so
    {"tokenizer.ggml.padding_token_id", &Vocabulary::padding},
    {"tokenizer.ggml.fim_pad_token_id", &Vocabulary::fim_padding},
    {"tokenizer.ggml.fim_rep_token_id", &Vocabulary::fim_repository},
    {"tokenizer.ggml.fim_sep_token_id", &Vocabulary::fim_separator},
}};

void validate_token(const VocabularyToken& token, std::size_t id) {
  if (token.text.size() > kMaxTokenTextBytes) {
    refuse(fmt::format("token {} has {} bytes of text, at most {} are allowed", id,
                       token.text.size(), kMaxTokenTextBytes));
  }
  if (std::isnan(token.score)) refuse(fmt::format("the score of token {} is not a number", id));
  if (token.type == TokenType::kByte && byte_of_token_text(token.text) < 0) {
    refuse(fmt::format("token {} is of type byte, but its text is not of the form <0xHH>", id));
  }
}

void validate_merge(std::string_view merge, std::size_t index) {
  // The search begins at the second byte: a part of a damaged file may begin with a space, but no
  // part is empty.
  const std::size_t space = merge.size() < 2 ? std::string_view::npos : merge.find(' ', 1);
  if (space == std::string_view::npos || space + 1 == merge.size()) {
    refuse(fmt::format("merge {} is not two pieces with a space between them", index));
  }
  if (merge.size() > 2 * kMaxTokenTextBytes) {
    refuse(fmt::format("merge {} has {} bytes, at most {} are allowed", index, merge.size(),
                       2 * kMaxTokenTextBytes));
  }
}

TokenizerModel read_model(const GgufMetadata& metadata) {
  const std::string_view name = metadata.require_string("tokenizer.ggml.model");
  if (name == "gpt2") return TokenizerModel::kBytePair;
  if (name == "llama") return TokenizerModel::kSentencePiece;
  throw Error(
      VERNAL_UNSUPPORTED,
      fmt::format("tokenizer.ggml.model is \"{}\"; supported are \"gpt2\" (byte-level BPE) and "
                  "\"llama\" (sentence piece)",
                  printable(name, 32)));
}

bool is_32_bit_integer(GgufKind kind) noexcept {
  return kind == GgufKind::kInt32 || kind == GgufKind::kUint32;
}

// Whether the array exists. Refuses an array whose elements are not of `kind`, or that is shorter
// than the vocabulary, before anything is copied. 32-bit integers may be signed or not.
bool has_array(const GgufMetadata& metadata, std::string_view key, GgufKind kind,
               std::size_t num_tokens) {
  const GgufEntry* entry = metadata.find(key);
  if (entry == nullptr) return false;
  const bool is_of_kind = entry->element_kind == kind ||
                          (is_32_bit_integer(kind) && is_32_bit_integer(entry->element_kind));
  if (!entry->is_array() || !is_of_kind || entry->num_elements < num_tokens) {
    refuse(fmt::format("{} is {}, expected an array of {} {}, one for each token", key,
                       entry->type_name(), num_tokens, gguf_kind_name(kind)));
  }
  return true;
}

// The id that a key names; other integers than those of 32 bits are another writer's mistake.
std::optional<std::int64_t> find_id(const GgufMetadata& metadata, std::string_view key) {
  const GgufEntry* entry = metadata.find(key);
  if (entry == nullptr) return std::nullopt;
  if (!is_32_bit_integer(entry->kind)) {
    refuse(fmt::format("{}: expected a u32, found {} {}", key, entry->type_name(),
                       entry->value_text(4)));
  }
  return entry->as_integer();
}

void read_scores(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  constexpr std::string_view kKey = "tokenizer.ggml.scores";
  if (!has_array(metadata, kKey, GgufKind::kFloat32, vocabulary.tokens.size())) {
    if (vocabulary.model == TokenizerModel::kBytePair) return;
    throw Error(VERNAL_NOT_FOUND,
                "tokenizer.ggml.scores is missing; a sentence piece vocabulary needs it");
  }
  const std::vector<double> scores = metadata.require_float_array(kKey);
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    vocabulary.tokens[id].score = static_cast<float>(scores[id]);
  }
}

void read_types(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  if (!has_array(metadata, kKey, GgufKind::kInt32, vocabulary.tokens.size())) return;
  const std::vector<std::int64_t> types = metadata.require_integer_array(kKey);
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::int64_t type = types[id];
    if (type < 0 || type > 6) {
      refuse(fmt::format("the type of token {} is {}, expected 1 to 6", id, type));
    }
    // 0 means "undefined"; converters wrote it for ordinary tokens.
    vocabulary.tokens[id].type = type == 0 ? TokenType::kNormal : static_cast<TokenType>(type);
  }
}

void read_named_ids(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  constexpr std::int64_t kNone = 4294967295;
  for (const auto& [key, member] : kNamedIds) {
    const std::optional<std::int64_t> id = find_id(metadata, key);
    if (!id) continue;
    const auto num_tokens = static_cast<std::int64_t>(vocabulary.tokens.size());
    if (*id == kNoToken || *id == kNone) {
      vocabulary.*member = kNoToken;
    } else if (*id < 0 || *id >= num_tokens) {
      refuse(fmt::format("{} is {}, but the vocabulary has {} tokens", key, *id, num_tokens));
    } else {
      vocabulary.*member = static_cast<TokenId>(*id);
    }
  }
}

// Sets the values that files of this kind mean by the absence of an entry.
void set_defaults(Vocabulary& vocabulary) {
  if (vocabulary.model == TokenizerModel::kBytePair) {
    vocabulary.add_bos = find_pre_tokenizer(vocabulary.pre_tokenizer).adds_bos;
    return;
  }
  vocabulary.add_bos = true;
  vocabulary.add_space_prefix = true;
  const auto num_tokens = static_cast<TokenId>(vocabulary.tokens.size());
  vocabulary.unknown = 0;
  if (num_tokens > 1) vocabulary.bos = 1;
  if (num_tokens > 2) vocabulary.eos = 2;
}

void read_flags(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  const auto read = [&](std::string_view key, bool& flag) {
    flag = metadata.find_bool(key).value_or(flag);
  };
  read("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  read("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
  if (vocabulary.model == TokenizerModel::kSentencePiece) {
    read("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
  }
}

}  // namespace

int byte_of_token_text(std::string_view text) noexcept {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  const int high = hexadecimal_digit(text[3]);
  const int low = hexadecimal_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void validate_vocabulary(const Vocabulary& vocabulary) {
  const std::size_t num_tokens = vocabulary.tokens.size();
  if (num_tokens == 0) refuse("it has no tokens");
  if (num_tokens > kMaxVocabularyTokens) {
    refuse(
        fmt::format("it has {} tokens, at most {} are allowed", num_tokens, kMaxVocabularyTokens));
  }
  for (std::size_t id = 0; id < num_tokens; ++id) validate_token(vocabulary.tokens[id], id);
  for (std::size_t i = 0; i < vocabulary.merges.size(); ++i)
    validate_merge(vocabulary.merges[i], i);
  if (vocabulary.merges.size() > kMaxVocabularyTokens) {
    refuse(fmt::format("it has {} merges, at most {} are allowed", vocabulary.merges.size(),
                       kMaxVocabularyTokens));
  }
  for (const auto& [key, member] : kNamedIds) {
    const TokenId id = vocabulary.*member;
    if (id != kNoToken && (id < 0 || static_cast<std::size_t>(id) >= num_tokens)) {
      refuse(fmt::format("{} is {}, but the vocabulary has {} tokens", key, id, num_tokens));
    }
  }
}

Vocabulary read_vocabulary(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  Vocabulary vocabulary;
  vocabulary.model = read_model(metadata);
  vocabulary.pre_tokenizer = metadata.find_string("tokenizer.ggml.pre").value_or("");

  const std::vector<std::string_view> texts =
      metadata.require_string_array("tokenizer.ggml.tokens");
  if (texts.size() > kMaxVocabularyTokens) {
    refuse(fmt::format("it has {} tokens, at most {} are allowed", texts.size(),
                       kMaxVocabularyTokens));
  }
  vocabulary.tokens.reserve(texts.size());
  for (const std::string_view text : texts) vocabulary.tokens.push_back({.text = text});

  read_scores(metadata, vocabulary);
  read_types(metadata, vocabulary);
  if (vocabulary.model == TokenizerModel::kBytePair) {
    vocabulary.merges = metadata.require_string_array("tokenizer.ggml.merges");
  }
  if (!vocabulary.tokens.empty()) set_defaults(vocabulary);
  read_named_ids(metadata, vocabulary);
  read_flags(metadata, vocabulary);
  vocabulary.normalization =
      read_normalization(metadata.find_string("tokenizer.huggingface.json").value_or(""));
  validate_vocabulary(vocabulary);
  return vocabulary;
}

}  // namespace vernal
