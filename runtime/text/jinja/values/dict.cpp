#include <algorithm>
#include <bit>
#include <optional>

#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {
namespace {

// Up to so many entries are searched in order: an index would cost more than it saves.
constexpr std::uint64_t kSearchedInOrder = 8;

}  // namespace

template <class Matches>
std::optional<std::uint64_t> DictObject::position_of(std::uint64_t hash,
                                                     const Matches& matches) const {
  if (slots_.empty()) {
    for (std::uint64_t position = 0; position < entries_.size(); ++position) {
      if (entries_[position].hash == hash && matches(entries_[position].key)) {
        return position;
      }
    }
    return std::nullopt;
  }
  const std::uint64_t mask = slots_.size() - 1;
  std::uint64_t probes = 0;
  for (std::uint64_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::uint64_t position = slots_[slot] - 1;
    if (entries_[position].hash == hash && matches(entries_[position].key)) {
      return position;
    }
    if (++probes % kSearchedInOrder == 0) {
      heap().budget().step();  // keys that were chosen to collide are paid for
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> DictObject::position_of(const Value& key) const {
  Budget& budget = heap().budget();
  return position_of(hash_of(key, budget),
                     [&](const Value& candidate) { return equals(candidate, key, budget); });
}

const Value* DictObject::find(const Value& key) const {
  const std::optional<std::uint64_t> position = position_of(key);
  return position.has_value() ? &entries_[*position].value : nullptr;
}

const Value* DictObject::find(std::string_view key) const {
  const std::optional<std::uint64_t> position = position_of(
      hash_of(key),
      [&](const Value& candidate) { return candidate.is_string() && candidate.text() == key; });
  return position.has_value() ? &entries_[*position].value : nullptr;
}

void DictObject::set(const Value& key, Value value) {
  if (const std::optional<std::uint64_t> position = position_of(key)) {
    entries_[*position].value = std::move(value);
    return;
  }
  if (entries_.size() == entries_.capacity()) {
    const std::uint64_t added = std::max<std::uint64_t>(4, entries_.size());
    grow(added * (sizeof(Entry) + 2 * sizeof(std::uint32_t)));
    entries_.reserve(entries_.size() + added);
  }
  entries_.push_back({key, std::move(value), hash_of(key, heap().budget())});
  if (entries_.size() * 2 > slots_.size() && entries_.size() > kSearchedInOrder) {
    rebuild_index();
  } else if (!slots_.empty()) {
    index_entry(entries_.size() - 1);
  }
}

void DictObject::erase(const Value& key) {
  if (const std::optional<std::uint64_t> position = position_of(key)) {
    heap().budget().read_elements(size());
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(*position));
    rebuild_index();
  }
}

void DictObject::clear() {
  entries_.clear();
  slots_.clear();
}

void DictObject::index_entry(std::uint64_t position) {
  const std::uint64_t mask = slots_.size() - 1;
  std::uint64_t slot = entries_[position].hash & mask;
  while (slots_[slot] != 0) {
    slot = (slot + 1) & mask;
  }
  slots_[slot] = static_cast<std::uint32_t>(position + 1);
}

void DictObject::rebuild_index() {
  slots_.clear();
  if (entries_.size() <= kSearchedInOrder) {
    return;
  }
  slots_.assign(std::bit_ceil(entries_.size() * 4), 0);
  for (std::uint64_t position = 0; position < entries_.size(); ++position) {
    index_entry(position);
  }
}

}  // namespace vernal::jinja
