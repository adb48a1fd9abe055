#include "text/grammar/mask/token_trie.hpp"

#include <algorithm>

namespace vernal::grammar {

TokenTrie::TokenTrie(std::vector<Entry> entries) {
  constexpr std::size_t kMaxDepth = 65'535;
  std::sort(entries.begin(), entries.end());
  std::vector<std::uint32_t> path;  // the open nodes
  std::string_view last;
  const auto close_to = [&](std::size_t depth) {
    while (path.size() > depth) {
      nodes_[path.back()].end = static_cast<std::uint32_t>(nodes_.size());
      path.pop_back();
    }
  };
  for (const auto& [bytes, token] : entries) {
    if (bytes.empty() || bytes.size() > kMaxDepth) {
      continue;
    }
    const auto common = static_cast<std::size_t>(
        std::mismatch(bytes.begin(), bytes.end(), last.begin(), last.end()).first - bytes.begin());
    close_to(common);
    for (std::size_t i = common; i < bytes.size(); ++i) {
      Node node;
      node.depth = static_cast<std::uint16_t>(i + 1);
      node.byte = static_cast<std::uint8_t>(bytes[i]);
      node.first = static_cast<std::uint32_t>(tokens_.size());
      path.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back(node);
    }
    if (Node& node = nodes_[path.back()]; node.count < 255) {
      ++node.count;
      tokens_.push_back(token);
    }
    depth_ = std::max(depth_, bytes.size());
    last = bytes;
  }
  close_to(0);
}

std::span<const TokenTrie::Node> TokenTrie::below(std::string_view bytes) const noexcept {
  std::size_t first = 0;
  std::size_t end = nodes_.size();
  for (const char letter : bytes) {
    while (first < end && nodes_[first].byte != static_cast<std::uint8_t>(letter)) {
      first = nodes_[first].end;
    }
    if (first >= end) {
      return {};
    }
    end = nodes_[first].end;
    ++first;
  }
  return std::span(nodes_).subspan(first, end - first);
}

}  // namespace vernal::grammar
