// The tokens before the one to be drawn.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Prompt and answer of one choice, as one sequence.
/// Thread   one at a time
class TokenHistory {
 public:
  /// Borrows the prompt. Before the first push().
  void set_prompt(std::span<const TokenId> prompt) noexcept { prompt_ = prompt; }
  void push(TokenId token) { answer_.push_back(token); }
  /// Forgets the newest token of the answer.
  void pop() noexcept { answer_.pop_back(); }

  std::size_t size() const noexcept { return prompt_.size() + answer_.size(); }
  std::size_t num_prompt() const noexcept { return prompt_.size(); }
  TokenId operator[](std::size_t index) const noexcept {
    return index < prompt_.size() ? prompt_[index] : answer_[index - prompt_.size()];
  }
  TokenId newest() const noexcept { return (*this)[size() - 1]; }

 private:
  std::span<const TokenId> prompt_;
  std::vector<TokenId> answer_;
};

}  // namespace vernal
