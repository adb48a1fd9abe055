#include "text/tokenizer/special_token_finder.hpp"

#include <algorithm>

namespace vernal {
namespace {

bool is_found_in_text(TokenType type) noexcept {
  return type == TokenType::kControl || type == TokenType::kUnknown ||
         type == TokenType::kUserDefined;
}

// A node whose children are not made yet. It has the texts from `first` to `last`, which agree in
// the first `depth` bytes.
struct Pending {
  std::size_t node;
  std::size_t first;
  std::size_t last;
  std::size_t depth;
};

}  // namespace

SpecialTokenFinder::SpecialTokenFinder(const TokenTable& table) {
  std::vector<TokenId> ids;
  for (TokenId id = 0; table.contains(id); ++id) {
    if (is_found_in_text(table.type(id)) && !table.bytes(id).empty()) ids.push_back(id);
  }
  // Of tokens with the same text, the lowest id comes first, and it counts.
  std::stable_sort(ids.begin(), ids.end(),
                   [&](TokenId a, TokenId b) { return table.bytes(a) < table.bytes(b); });

  nodes_.emplace_back();
  std::vector<Pending> pending{{0, 0, ids.size(), 0}};
  for (std::size_t next = 0; next < pending.size(); ++next) {
    auto [node, first, last, depth] = pending[next];
    // Texts that end here sort before longer ones.
    while (first < last && table.bytes(ids[first]).size() == depth) {
      if (nodes_[node].id == kNoToken) {
        nodes_[node].id = ids[first];
        nodes_[node].structural = table.type(ids[first]) != TokenType::kUserDefined;
      }
      ++first;
    }
    nodes_[node].first_child = static_cast<std::uint32_t>(nodes_.size());
    while (first < last) {
      const char byte = table.bytes(ids[first])[depth];
      std::size_t end = first + 1;
      while (end < last && table.bytes(ids[end])[depth] == byte) ++end;
      pending.push_back({nodes_.size(), first, end, depth + 1});
      nodes_.emplace_back().byte = static_cast<std::uint8_t>(byte);
      first = end;
    }
    nodes_[node].num_children =
        static_cast<std::uint32_t>(nodes_.size()) - nodes_[node].first_child;
    if (depth == 1) begins_[nodes_[node].byte] = true;
  }
}

const SpecialTokenFinder::Node* SpecialTokenFinder::child(const Node& node,
                                                          char byte) const noexcept {
  const Node* begin = nodes_.data() + node.first_child;
  const Node* end = begin + node.num_children;
  const auto wanted = static_cast<std::uint8_t>(byte);
  const Node* found = std::lower_bound(
      begin, end, wanted, [](const Node& one, std::uint8_t other) { return one.byte < other; });
  return found == end || found->byte != wanted ? nullptr : found;
}

std::optional<SpecialTokenFinder::Match> SpecialTokenFinder::find(std::string_view text,
                                                                  std::size_t from,
                                                                  bool structural) const noexcept {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!begins_[static_cast<std::uint8_t>(text[begin])]) continue;
    Match match{begin, 0, kNoToken};
    const Node* node = nodes_.data();
    for (std::size_t i = begin; i < text.size(); ++i) {
      node = child(*node, text[i]);
      if (node == nullptr) break;
      if (node->id != kNoToken && (structural || !node->structural)) {
        match.length = i + 1 - begin;
        match.id = node->id;
      }
    }
    if (match.id != kNoToken) return match;
  }
  return std::nullopt;
}

TokenId SpecialTokenFinder::find_exact(std::string_view text) const noexcept {
  const Node* node = nodes_.data();
  for (const char byte : text) {
    node = child(*node, byte);
    if (node == nullptr) return kNoToken;
  }
  return node->id;
}

}  // namespace vernal
