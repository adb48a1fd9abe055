// What a model says of a text that is given: the logits behind each of its tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/loaded_model.hpp"
#include "loading/open_deployment.hpp"
#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Rows of logits that a step of a scored text has.
inline constexpr std::uint64_t kScoredRows = 64;

/// A model loaded for one sequence of a text, with its pool open. The calling thread takes the
/// engine's role for as long as the object lives.
class TextModel {
 public:
  /// Plans and loads the model `settings` once more, for one sequence of `num_tokens`.
  /// Errors  those of ResidentModel; UNSUPPORTED: the backend lacks the formats of
  /// settings.kv_cache
  TextModel(OpenDeployment& open, ModelSettings settings, std::uint64_t num_tokens);
  ~TextModel();
  TextModel(const TextModel&) = delete;
  TextModel& operator=(const TextModel&) = delete;

  const LoadedModel& loaded() const noexcept { return loaded_; }
  /// Whether keys and values are stored rotated.
  bool is_rotated() const { return resident_->is_rotated(); }
  /// Keys and values of one position in all layers.
  std::uint64_t bytes_per_kv_token() const { return resident_->plan_info().bytes_per_kv_token; }

  /// Feeds tokens[0, first + count) to a new sequence and calls on_row(i, logits) for each i in
  /// [0, count): the logits behind tokens[first + i], which lives for the call.
  using OnRow = std::function<void(std::uint64_t i, std::span<const float> logits)>;
  void score(std::span<const TokenId> tokens, std::uint64_t first, std::uint64_t count,
             const OnRow& on_row);

 private:
  std::unique_ptr<ResidentModel> resident_;
  LoadedModel loaded_;
  plugin::ScopedThreadRole role_;
};

/// The tokens of a text file, with the vocabulary's bos where it asks for one.
/// Errors  NOT_FOUND: no such file; INVALID_ARGUMENT: it is empty
std::vector<TokenId> read_text_tokens(const std::filesystem::path& file,
                                      const Tokenizer& tokenizer);

/// A row of logits as a distribution: log p_i = logits[i] - log_sum.
/// Errors  INTERNAL: the row has a NaN, or no finite number
double log_sum_of(std::span<const float> logits);

/// "512", "2K" (x 1024).
/// Errors  INVALID_ARGUMENT, with the text
std::uint64_t parse_token_count(std::string_view text);

}  // namespace vernal
