#include "command/make_model/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
constexpr std::string_view kScores = "tokenizer.ggml.scores";
constexpr std::string_view kMerges = "tokenizer.ggml.merges";

constexpr std::int64_t kPlain = 1;
constexpr std::int64_t kUnused = 5;

class Cutter {
 public:
  Cutter(const GgufFile& file, std::uint64_t num_tokens)
      : file_(file),
        tokens_(file.metadata().require_string_array(kTokens)),
        types_(file.metadata().find_integer_array(kTypes).value_or(
            std::vector<std::int64_t>(tokens_.size(), kPlain))),
        num_tokens_(num_tokens == 0 ? tokens_.size() : num_tokens) {
    require_length(kTypes, types_.size());
    choose();
  }

  CutTokenizer cut() const {
    CutTokenizer result{num_tokens_, {}};
    for (const GgufEntry& entry : file_.metadata().entries()) {
      if (!entry.key.starts_with("tokenizer.")) continue;
      if (auto value = value_of(entry)) {
        result.entries.emplace_back(std::string(entry.key), std::move(*value));
      }
    }
    return result;
  }

 private:
  void require_length(std::string_view key, std::size_t length) const {
    if (length == tokens_.size()) return;
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: \"{}\": expected {} elements, one a token, found {}",
                            printable(file_.file_name()), key, tokens_.size(), length));
  }

  void choose() {
    const auto num_plain = static_cast<std::uint64_t>(std::ranges::count(types_, kPlain));
    const std::uint64_t num_special = tokens_.size() - num_plain;
    if (num_special > num_tokens_) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  fmt::format("{}: expected room for its {} special tokens, found {} tokens",
                              printable(file_.file_name()), num_special, num_tokens_));
    }
    std::uint64_t plain_left = num_tokens_ - num_special;
    new_ids_.resize(tokens_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (types_[i] == kPlain && plain_left == 0) continue;
      if (types_[i] == kPlain) --plain_left;
      new_ids_[i] = static_cast<std::int64_t>(kept_.size());
      kept_.push_back(i);
    }
  }

  std::uint64_t num_missing() const { return num_tokens_ - kept_.size(); }

  /// What becomes of an entry; nothing if it goes.
  std::optional<GgufValue> value_of(const GgufEntry& entry) const {
    if (entry.key == kTokens) return kept_tokens();
    if (entry.key == kTypes) return kept_types();
    if (entry.key == kScores) return kept_scores();
    if (entry.key == kMerges) return kept_merges();
    if (!entry.key.ends_with("_token_id")) return GgufValue::copy_of(entry);
    const auto old_id = entry.as_integer();
    if (!old_id || *old_id < 0 || static_cast<std::uint64_t>(*old_id) >= tokens_.size()) {
      return std::nullopt;
    }
    const auto new_id = new_ids_[static_cast<std::size_t>(*old_id)];
    if (!new_id) return std::nullopt;
    return GgufValue::u32(static_cast<std::uint32_t>(*new_id));
  }

  GgufValue kept_tokens() const {
    std::vector<std::string> unused;
    for (std::uint64_t i = 0; i < num_missing(); ++i)
      unused.push_back(fmt::format("[UNUSED{}]", i));
    std::vector<std::string_view> texts;
    for (const std::size_t i : kept_) texts.push_back(tokens_[i]);
    texts.insert(texts.end(), unused.begin(), unused.end());
    return GgufValue::texts(texts);
  }

  GgufValue kept_types() const {
    std::vector<std::int64_t> types;
    for (const std::size_t i : kept_) types.push_back(types_[i]);
    types.resize(num_tokens_, kUnused);
    return GgufValue::i32s(types);
  }

  GgufValue kept_scores() const {
    const auto all = file_.metadata().require_float_array(kScores);
    require_length(kScores, all.size());
    std::vector<double> scores;
    for (const std::size_t i : kept_) scores.push_back(all[i]);
    scores.resize(num_tokens_, 0);
    return GgufValue::f32s(scores);
  }

  GgufValue kept_merges() const {
    std::unordered_set<std::string_view> kept;
    for (const std::size_t i : kept_) kept.insert(tokens_[i]);
    const auto all = file_.metadata().require_string_array(kMerges);
    std::vector<std::string_view> merges;
    for (const std::string_view merge : all) {
      const std::size_t gap = merge.find(' ', 1);  // a half may begin with a space, never be empty
      if (gap == std::string_view::npos) continue;
      const std::string_view left = merge.substr(0, gap);
      const std::string_view right = merge.substr(gap + 1);
      const std::string both = fmt::format("{}{}", left, right);
      if (kept.contains(left) && kept.contains(right) && kept.contains(both)) {
        merges.push_back(merge);
      }
    }
    return GgufValue::texts(merges);
  }

  const GgufFile& file_;
  std::vector<std::string_view> tokens_;
  std::vector<std::int64_t> types_;
  std::uint64_t num_tokens_;
  std::vector<std::size_t> kept_;                     // old ids in order
  std::vector<std::optional<std::int64_t>> new_ids_;  // by old id
};

}  // namespace

CutTokenizer cut_tokenizer(const GgufFile& file, std::uint64_t num_tokens) {
  return Cutter(file, num_tokens).cut();
}

}  // namespace vernal
