// What random programs of state calls are compared with: the logits of sequences that have known nothing
// but their steps.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "support/model_under_test.hpp"
#include "vernal/state/snapshot_header.hpp"

namespace vernal::test {

using Tokens = std::vector<std::int32_t>;

inline constexpr std::uint64_t kRollbackDepth = 2;
inline constexpr std::size_t kMaxSequences = 4;
inline constexpr std::size_t kMaxCheckpoints = 2;

/// How far back the sequences of a model keep their state.
struct Memory {
  bool is_hybrid = false;
  std::uint64_t window = 0;  // 0: pages are never freed
  std::uint64_t page = 1;    // tokens

  /// The first position that is held when the token after `length` others sees a window.
  std::uint64_t first_held(std::uint64_t length, std::uint64_t undone) const {
    const std::uint64_t distance = window + undone;
    return window == 0 || length < distance ? 0 : (length - distance) / page * page;
  }
};

/// The content of a sequence, checkpoint or snapshot.
struct Text {
  Tokens tokens;
  std::vector<std::size_t> starts;  // of the chunks
  std::uint64_t undoable = 0;       // how many of the newest tokens a hybrid can take back
  std::uint64_t first_held = 0;     // first position that a window still holds

  void append(const Tokens& chunk, const Memory& memory) {
    starts.push_back(tokens.size());
    tokens.insert(tokens.end(), chunk.begin(), chunk.end());
    undoable = std::min(undoable + chunk.size(), kRollbackDepth);
    first_held = std::max(first_held, memory.first_held(tokens.size(), kRollbackDepth));
  }
  void cut(std::size_t length) {
    const std::uint64_t removed = tokens.size() - length;
    undoable -= std::min(undoable, removed);
    tokens.resize(length);
    std::erase_if(starts, [&](std::size_t start) { return start >= length; });
    if (length == 0) first_held = 0;
  }
  bool may_cut(std::size_t length, const Memory& memory) const {
    const std::uint64_t removed = tokens.size() - length;
    if (removed == 0 || length == 0) return true;
    return memory.is_hybrid ? removed <= undoable : memory.first_held(length, 0) >= first_held;
  }
  Text settled(const Memory& memory) const {
    return {tokens, starts, 0, std::max(first_held, memory.first_held(tokens.size(), 0))};
  }
};

inline std::uint64_t sum_of(const std::vector<float>& logits) {
  SnapshotChecksum sum;
  sum.add(logits.data(), logits.size() * sizeof(float));
  return sum.value();
}

/// The logits of sequences that have known nothing but their steps. Each is computed once: those of the
/// newest few sequences are kept, and go on where a text goes on.
class Oracle {
 public:
  explicit Oracle(ModelUnderTest& model) : model_(model) {}

  /// The logits of all tokens of the last chunk.
  std::uint64_t sum(const Text& text) {
    const auto known = sums_.find({text.tokens, text.starts});
    if (known != sums_.end()) return known->second;
    Grown& grown = begin_of(text);
    std::uint64_t newest = 0;
    while (grown.text.tokens.size() < text.tokens.size()) {
      newest = add_chunk(grown, text);
      sums_[{grown.text.tokens, grown.text.starts}] = newest;
    }
    return newest;
  }

 private:
  struct Grown {
    vernal_sequence_id id;
    Text text;

    bool is_begin_of(const Text& other) const {
      return text.starts.size() < other.starts.size() &&
             text.tokens.size() == other.starts[text.starts.size()] &&
             std::ranges::equal(text.starts, std::span(other.starts).first(text.starts.size())) &&
             std::ranges::equal(text.tokens, std::span(other.tokens).first(text.tokens.size()));
    }
  };

  /// The sequence to go on with, moved to the end of grown_.
  Grown& begin_of(const Text& text) {
    auto found =
        std::ranges::find_if(grown_, [&](const Grown& grown) { return grown.is_begin_of(text); });
    if (found == grown_.end()) {
      if (grown_.size() == kMaxSequences) {
        model_.pool().seq_release(grown_.front().id);
        grown_.erase(grown_.begin());
      }
      grown_.push_back({model_.sequence(0), {}});
    } else {
      std::rotate(found, found + 1, grown_.end());
    }
    return grown_.back();
  }

  /// The next chunk of `text`; returns its sum.
  std::uint64_t add_chunk(Grown& grown, const Text& text) {
    const std::size_t next = grown.text.starts.size() + 1;
    const auto begin = static_cast<std::ptrdiff_t>(grown.text.tokens.size());
    const auto end = static_cast<std::ptrdiff_t>(next < text.starts.size() ? text.starts[next]
                                                                           : text.tokens.size());
    const Tokens chunk(text.tokens.begin() + begin, text.tokens.begin() + end);
    EXPECT_TRUE(model_.pool().seq_reserve(grown.id, chunk.size()));
    const std::uint64_t sum = sum_of(model_.step({{grown.id, chunk}})[0]);
    grown.text.append(chunk, {});
    return sum;
  }

  ModelUnderTest& model_;
  std::map<std::pair<Tokens, std::vector<std::size_t>>, std::uint64_t> sums_;
  std::vector<Grown> grown_;  // the one used last is last
};

}  // namespace vernal::test
