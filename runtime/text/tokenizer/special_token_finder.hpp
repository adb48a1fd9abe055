// Finds special tokens that are written out in a text.
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

/// Finds the texts of control, unknown and user-defined tokens in a text, with a trie of bytes. The
/// leftmost match counts; of several that begin at the same byte, the longest.
/// Thread   any; immutable once built
class SpecialTokenFinder {
 public:
  struct Match {
    std::size_t begin;
    std::size_t length;
    TokenId id;
  };

  /// `table` is used during construction only.
  explicit SpecialTokenFinder(const TokenTable& table);

  /// The first match in `text` at or after byte `from`. With `structural`, all tokens are found,
  /// else only user-defined ones. Takes linear time up to the match; at worst, times the length of
  /// the longest token.
  std::optional<Match> find(std::string_view text, std::size_t from,
                            bool structural) const noexcept;

  /// The token whose text is exactly `text`, or kNoToken.
  TokenId find_exact(std::string_view text) const noexcept;

  /// Memory that the finder takes beside itself.
  std::size_t memory_bytes() const noexcept { return nodes_.capacity() * sizeof(Node); }

 private:
  // The children of a node follow each other in nodes_, in ascending order of `byte`.
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
