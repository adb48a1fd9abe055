// Where the texts of control tokens stand in a text.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// The texts of a vocabulary's control and unknown tokens ("<|im_end|>"). Immutable; any thread.
class ControlTexts {
 public:
  struct Match {
    std::size_t begin;
    std::size_t length;
    TokenId id;
  };

  explicit ControlTexts(const Tokenizer& tokenizer);

  /// The longest one that stands at `position`.
  std::optional<Match> match_at(std::string_view text, std::size_t position) const;
  /// The first at or after `from`, the longest of those that begin there: as Tokenizer::encode
  /// finds them.
  std::optional<Match> find(std::string_view text, std::size_t from) const;
  /// Whether `text` ends with what could be the beginning of one, or begins with what could be the
  /// end of one.
  bool ends_inside(std::string_view text) const;
  bool begins_inside(std::string_view text) const;

 private:
  // Lets views be looked up without a copy.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using TextSet = std::unordered_set<std::string, Hash, std::equal_to<>>;

  void add(std::string_view text, TokenId id);

  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  TextSet beginnings_;                                 // proper ones
  TextSet ends_;                                       // proper ones
  std::array<std::vector<std::size_t>, 256> lengths_;  // by first byte, descending
  std::size_t max_length_ = 0;
};

}  // namespace vernal
