// Gives equal values one number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace vernal::grammar {

/// Mixes a word into a hash: the finaliser of MurmurHash3 over the sum.
inline std::uint64_t mix_hash(std::uint64_t hash, std::uint64_t word) noexcept {
  hash = (hash ^ word) * 0xFF51AFD7ED558CCDULL;
  return hash ^ (hash >> 32U);
}

inline std::uint64_t hash_of(const std::vector<std::uint32_t>& words) noexcept {
  std::uint64_t hash = words.size();
  for (const std::uint32_t word : words) {
    hash = mix_hash(hash, word);
  }
  return hash;
}

/// Stores values once and numbers them from 0 in the order in which they came. `Key` has operator==
/// and a function hash_of(const Key&).
/// Thread   one
template <class Key>
class Interner {
 public:
  /// The number of `key`. The second is true if it is new.
  std::pair<std::uint32_t, bool> intern(Key key) {
    if ((items_.size() + 1) * 2 > slots_.size()) {
      grow();
    }
    const std::size_t slot = find_slot(key);
    if (slots_[slot] != kFree) {
      return {slots_[slot], false};
    }
    const auto id = static_cast<std::uint32_t>(items_.size());
    slots_[slot] = id;
    items_.push_back(std::move(key));
    return {id, true};
  }

  /// The reference lives until the next intern().
  const Key& operator[](std::uint32_t id) const noexcept { return items_[id]; }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  static constexpr std::uint32_t kFree = 0xFFFFFFFFU;

  std::size_t find_slot(const Key& key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(hash_of(key)) & mask;
    while (slots_[slot] != kFree && !(items_[slots_[slot]] == key)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  void grow() {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, kFree);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      slots_[find_slot(items_[i])] = static_cast<std::uint32_t>(i);
    }
  }

  std::vector<Key> items_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace vernal::grammar
