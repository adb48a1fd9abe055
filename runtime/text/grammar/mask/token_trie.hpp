// Tokens by their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal::grammar {

/// A trie in the order of a depth-first walk: the subtree of node i ends before nodes()[i].end, so a
/// walk that dies at a node goes on there. Several tokens may have the same bytes.
/// Thread   any; immutable once built
class TokenTrie {
 public:
  struct Node {
    std::uint32_t end = 0;    ///< of the subtree
    std::uint32_t first = 0;  ///< in tokens()
    std::uint16_t depth = 0;  ///< bytes up to here, at least 1
    std::uint8_t byte = 0;
    std::uint8_t count = 0;  ///< tokens that end here
  };

  using Entry = std::pair<std::string_view, TokenId>;

  TokenTrie() = default;
  /// Entries without bytes are left out. Of more than 255 tokens with the same bytes, 255 are kept.
  explicit TokenTrie(std::vector<Entry> entries);

  std::span<const Node> nodes() const noexcept { return nodes_; }
  std::span<const TokenId> tokens_at(const Node& node) const noexcept {
    return {tokens_.data() + node.first, node.count};
  }
  /// The nodes of all tokens that begin with `bytes` and go further.
  std::span<const Node> below(std::string_view bytes) const noexcept;

  /// Walks with the states of an automaton: `step(state, byte)` gives the next state, 0 if it is
  /// dead; `visit(node, index, state)` says whether to walk on below. `stack` is scratch memory.
  template <class Step, class Visit>
  void walk(std::uint32_t start, std::vector<std::uint32_t>& stack, const Step& step,
            const Visit& visit) const {
    walk_range(0, static_cast<std::uint32_t>(nodes_.size()), 0, start, stack, step, visit);
  }

  /// The same below one node, from the state that it was reached with.
  template <class Step, class Visit>
  void walk_below(std::uint32_t index, std::uint32_t state, std::vector<std::uint32_t>& stack,
                  const Step& step, const Visit& visit) const {
    const Node& node = nodes_[index];
    walk_range(index + 1, node.end, node.depth, state, stack, step, visit);
  }

 private:
  template <class Step, class Visit>
  void walk_range(std::uint32_t first, std::uint32_t end, std::size_t depth, std::uint32_t start,
                  std::vector<std::uint32_t>& stack, const Step& step, const Visit& visit) const {
    stack.resize(depth_ + 1);
    stack[depth] = start;
    for (std::uint32_t i = first; i < end;) {
      const Node& node = nodes_[i];
      const std::uint32_t state = step(stack[node.depth - 1U], node.byte);
      if (state == 0) {
        i = node.end;
        continue;
      }
      stack[node.depth] = state;
      i = visit(node, i, state) ? i + 1 : node.end;
    }
  }

  std::vector<Node> nodes_;
  std::vector<TokenId> tokens_;
  std::size_t depth_ = 0;
};

}  // namespace vernal::grammar
