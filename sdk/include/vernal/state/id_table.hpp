// Objects by ids that carry a generation, as the interface asks of sequences, checkpoints and
// tickets: an id that was removed is an error and never finds another object.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

/// Owns objects of type T. An id is generation << 32 | (slot + 1), so 0 is never an id. A reference
/// stays valid until its object is removed. One thread at a time.
template <class T>
class IdTable {
 public:
  /// `kind` names the objects in messages: "sequence". Borrowed: use a string literal.
  explicit IdTable(std::string_view kind) : kind_(kind) {}

  /// Makes room for one object, so that the next add() allocates nothing.
  void reserve_one() {
    if (free_slot() == slots_.size()) slots_.emplace_back();
  }

  /// Stores an object and returns its id.
  std::uint64_t add(T object) {
    reserve_one();
    const std::size_t slot = free_slot();
    slots_[slot].object = std::move(object);
    return std::uint64_t{slots_[slot].generation} << 32U | (slot + 1);
  }

  /// The object of an id.
  /// Errors  NOT_FOUND: the id was never given, or its object was removed
  T& get(std::uint64_t id) { return *find(id).object; }
  const T& get(std::uint64_t id) const { return *const_cast<IdTable*>(this)->find(id).object; }

  /// Whether the id has an object.
  bool contains(std::uint64_t id) const {
    const std::uint64_t slot = (id & 0xFFFFFFFFU) - 1;
    return slot < slots_.size() && slots_[slot].object && slots_[slot].generation == id >> 32U;
  }

  /// Destroys the object of an id.
  /// Errors  NOT_FOUND: the id was never given, or its object was removed
  void remove(std::uint64_t id) {
    Slot& slot = find(id);
    slot.object.reset();
    ++slot.generation;
  }

  /// The number of objects.
  std::size_t size() const {
    std::size_t count = 0;
    for (const Slot& slot : slots_) count += slot.object ? 1 : 0;
    return count;
  }

  /// Calls f(object) for each object, in the order of slots.
  template <class F>
  void for_each(F&& f) const {
    for (const Slot& slot : slots_) {
      if (slot.object) f(*slot.object);
    }
  }

 private:
  struct Slot {
    std::optional<T> object;
    std::uint32_t generation = 1;
  };

  std::size_t free_slot() const {
    std::size_t slot = 0;
    while (slot < slots_.size() && slots_[slot].object) ++slot;
    return slot;
  }

  Slot& find(std::uint64_t id) {
    if (!contains(id)) {
      throw Error(VERNAL_NOT_FOUND, std::string(kind_) + " " + std::to_string(id) +
                                        ": expected a live id, found none");
    }
    return slots_[(id & 0xFFFFFFFFU) - 1];
  }

  std::string_view kind_;
  std::deque<Slot> slots_;
};

}  // namespace vernal
