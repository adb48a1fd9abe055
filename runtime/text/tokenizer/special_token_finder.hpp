// Finding the tokens that stand in a text as they are written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/token_table.hpp"

namespace vernal {

/// Finds control, unknown and user-defined tokens in a text by their texts: a trie over bytes. The
/// leftmost match counts, and of those that begin there the longest.
/// Thread   any; immutable once built.
class SpecialTokenFinder {
 public:
  struct Match {
    std::size_t begin;
    std::size_t length;
    TokenId id;
  };

  /// Keeps nothing of `table`.
  explicit SpecialTokenFinder(const TokenTable& table);

  /// The first match in `text` at or after `from`. With `structural`, control and unknown tokens
  /// count too; otherwise only user-defined ones do.
  /// Time: linear in the text up to the match, times the length of the longest token at worst.
  std::optional<Match> find(std::string_view text, std::size_t from,
                            bool structural) const noexcept;

  /// The token whose text is exactly `text`, or kNoToken.
  TokenId find_exact(std::string_view text) const noexcept;

 private:
  // Children of a node lie together in nodes_, in ascending order of `byte`.
  struct Node {
    std::uint8_t byte = 0;
    bool structural = false;
    TokenId id = kNoToken;  // of the token that ends here
    std::uint32_t first_child = 0;
    std::uint32_t num_children = 0;
  };

  const Node* child(const Node& node, char byte) const noexcept;

  std::vector<Node> nodes_;  // the first is the root
  std::array<bool, 256> begins_{};
};

}  // namespace vernal
