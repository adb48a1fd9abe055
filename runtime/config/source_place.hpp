// Where something stands in a file, and the list of everything wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vernal {

struct SourcePlace {
  std::string file;
  std::uint32_t line = 0;  // from 1; 0: unknown
  std::uint32_t column = 0;

  /// "configs/a.toml:12:3"
  std::string text() const;
};

/// Collects problems, so that all of them are reported at once.
class Problems {
 public:
  /// As many are kept; further ones are only counted. Nobody reads more, and a file of 50,000
  /// mistakes must not cost a search for 50,000 suggestions.
  static constexpr std::size_t kMostKept = 100;

  void add(const SourcePlace& place, std::string what);
  /// Further problems will only be counted: their text need not be made.
  bool is_full() const noexcept { return items_.size() >= kMostKept; }
  bool empty() const noexcept { return items_.empty(); }
  std::size_t size() const noexcept { return items_.size() + num_dropped_; }
  /// One problem a line, ordered by place; a last line says how many were not kept.
  std::string text() const;
  /// Throws Error(INVALID_ARGUMENT) with text() unless empty.
  void raise() const;

 private:
  struct Item {
    SourcePlace place;
    std::string what;
  };
  std::vector<Item> items_;
  std::size_t num_dropped_ = 0;
};

}  // namespace vernal
