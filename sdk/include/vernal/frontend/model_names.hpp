// Which model or profile a client means by a name.
//
//   vernal::NameSearch search(wanted);
//   for (const ModelInfo& model : models) {
//     if (search.offer(model.id)) found = &model;
//   }
//
// A name of a deployment that holds '*' is a pattern: "claude-*" stands for every name that begins with
// "claude-". The core and its frontends look for names in the same way.
#pragma once

#include <cstddef>
#include <string_view>

namespace vernal {

/// Longer names than this, in bytes, match no pattern.
inline constexpr std::size_t kLongestMatchedName = 256;

/// Whether a name of a deployment stands for many names.
constexpr bool is_name_pattern(std::string_view name) noexcept {
  return name.find('*') != std::string_view::npos;
}

/// Whether `name` is the pattern with some text, which may be empty, in the place of each '*'.
constexpr bool matches_name_pattern(std::string_view pattern, std::string_view name) noexcept {
  const std::size_t first = pattern.find('*');
  if (first == std::string_view::npos) return pattern == name;
  if (name.size() > kLongestMatchedName || !name.starts_with(pattern.substr(0, first)))
    return false;
  name.remove_prefix(first);
  pattern.remove_prefix(first + 1);
  // What stands between two of them is looked for as far to the left as possible: that leaves most
  // for the rest.
  for (std::size_t end = pattern.find('*'); end != std::string_view::npos;
       end = pattern.find('*')) {
    const std::size_t at = name.find(pattern.substr(0, end));
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + end);
    pattern.remove_prefix(end + 1);
  }
  return name.ends_with(pattern);
}

/// Finds the best of several names for the one that is wanted: the same name, else the pattern with
/// most characters beside its '*', else nothing. Of equal ones the first.
class NameSearch {
 public:
  /// `wanted` outlives the object.
  constexpr explicit NameSearch(std::string_view wanted) noexcept : wanted_(wanted) {}

  /// Whether `name`, a name or a pattern, is better than all that were offered before.
  constexpr bool offer(std::string_view name) noexcept {
    const std::size_t merit = merit_of(name);
    if (merit <= best_) return false;
    best_ = merit;
    return true;
  }

 private:
  static constexpr std::size_t kSame = static_cast<std::size_t>(-1);

  constexpr std::size_t merit_of(std::string_view name) const noexcept {
    if (name == wanted_) return kSame;
    if (!is_name_pattern(name) || !matches_name_pattern(name, wanted_)) return 0;
    std::size_t merit = 1;
    for (const char c : name) merit += c == '*' ? 0U : 1U;
    return merit;
  }

  std::string_view wanted_;
  std::size_t best_ = 0;
};

}  // namespace vernal
