// Stop strings in a text that comes in pieces.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// Finds the first stop string of an answer, also where it begins in one piece and ends in another.
/// Text that may be the beginning of a stop string is held back until more text decides it.
/// Thread   one at a time
class StopMatcher {
 public:
  /// `stops` are not empty; they outlive the object.
  explicit StopMatcher(const std::vector<std::string>& stops) noexcept : stops_(stops) {}

  /// Takes the next piece and returns the text that may be handed out now. Whole characters stay
  /// whole. Once a stop string is found (found() is set) the text before it is returned, and later
  /// calls give nothing.
  std::string push(std::string_view piece);
  /// Ends the answer and returns the text that was held back.
  std::string flush();

  /// The stop string that was found: of those that begin first, the longest.
  const std::optional<std::string>& found() const noexcept { return found_; }
  /// Bytes held back.
  std::size_t num_held() const noexcept { return held_.size(); }

 private:
  // First occurrence of a stop string in held_; npos if there is none.
  std::size_t find_stop();
  // Where the longest suffix of held_ begins that is a prefix of a stop string.
  std::size_t begin_of_partial() const noexcept;

  const std::vector<std::string>& stops_;
  std::string held_;
  std::optional<std::string> found_;
};

}  // namespace vernal
