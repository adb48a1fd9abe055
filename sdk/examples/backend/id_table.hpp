// Ids that carry a generation, so that a stale one is an error and not somebody else's object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vernal/error.hpp"

namespace reference {

/// Owns objects and names them by id = generation << 32 | (index + 1).
template <class T>
class IdTable {
 public:
  explicit IdTable(std::string what) : what_(std::move(what)) {}

  std::uint64_t add(std::unique_ptr<T> object) {
    std::size_t index = 0;
    while (index < entries_.size() && entries_[index].object) ++index;
    if (index == entries_.size()) entries_.emplace_back();
    entries_[index].object = std::move(object);
    return entries_[index].generation << 32 | (index + 1);
  }

  /// Throws NOT_FOUND for an id that was released or never given.
  T& get(std::uint64_t id) { return *entry(id).object; }

  void remove(std::uint64_t id) {
    Entry& removed = entry(id);
    removed.object.reset();
    ++removed.generation;
  }

  std::uint64_t size() const {
    std::uint64_t count = 0;
    for (const Entry& e : entries_) count += e.object ? 1 : 0;
    return count;
  }

  template <class F>
  void for_each(F&& f) const {
    for (const Entry& e : entries_) {
      if (e.object) f(*e.object);
    }
  }

 private:
  struct Entry {
    std::unique_ptr<T> object;
    std::uint64_t generation = 1;
  };

  Entry& entry(std::uint64_t id) {
    const std::uint64_t index = (id & 0xFFFFFFFF) - 1;
    if (index >= entries_.size() || !entries_[index].object ||
        entries_[index].generation != id >> 32) {
      throw vernal::Error(VERNAL_NOT_FOUND,
                          what_ + " " + std::to_string(id) + " does not exist (any more)");
    }
    return entries_[index];
  }

  std::string what_;
  std::vector<Entry> entries_;
};

}  // namespace reference
