// When a model has thought enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Watches the thinking of one answer: its tokens are counted against a budget, and a text that
/// repeats itself word for word is a loop that the model will not leave. Engine thread.
class ThinkingGuard {
 public:
  enum class Verdict : std::uint8_t { kGoOn, kBudgetSpent, kLoop };

  /// `budget`: tokens of all thinking in the answer; nullopt: any number.
  explicit ThinkingGuard(std::optional<std::uint64_t> budget) noexcept : budget_(budget) {}

  /// Takes the next token of the thinking, and its text. At the budget the line may be finished, if
  /// that takes no more than a tenth of it. Constant work for each token, on average.
  Verdict push(TokenId token, std::string_view text);

 private:
  bool repeats_itself() const noexcept;

  const std::optional<std::uint64_t> budget_;
  std::uint64_t num_tokens_ = 0;
  std::vector<TokenId> recent_;  // the newest, no more than are compared
};

}  // namespace vernal
