#include "text/grammar/schema/array_items.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vernal::grammar {

bool ArrayItems::can_close(const Frame& frame) const {
  const ArraySpec& spec = shapes_.array(frame.spec);
  const std::vector<std::uint32_t>& counts = lists_[frame.set];
  for (std::size_t i = 0; i < spec.contained.size(); ++i) {
    if ((i < counts.size() ? counts[i] : 0) < spec.contained[i].min) {
      return false;
    }
  }
  return frame.count >= spec.min;
}

bool ArrayItems::is_full(const Frame& frame) const {
  return frame.count >= shapes_.array(frame.spec).max;
}

bool ArrayItems::can_go_on(const Frame& frame) {
  if (is_full(frame)) {
    return false;
  }
  return shapes_.array(frame.spec).contained.empty() || !next(frame).empty();
}

std::vector<ArrayItem> ArrayItems::next(const Frame& frame) {
  if (is_full(frame)) {
    return {};
  }
  const ArraySpec& spec = shapes_.array(frame.spec);
  Frame after = frame;
  after.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(frame.count + 1ULL, spec.cap));
  if (!spec.domain.empty()) {
    return unique_items(after);
  }
  if (!spec.contained.empty()) {
    return counted_items(frame, after);
  }
  return {{after, spec.item(frame.count)}};
}

std::vector<ArrayItem> ArrayItems::unique_items(const Frame& after) {
  const std::vector<std::string>& domain = shapes_.array(after.spec).domain;
  std::vector<ArrayItem> items;
  for (std::uint32_t i = 0; i < domain.size(); ++i) {
    if (!has_bit(lists_, after.set, i)) {
      Frame used = after;
      used.set = with_bit(lists_, after.set, i);
      items.push_back({used, kAnything, &domain[i]});
    }
  }
  return items;
}

// Each condition is either met by this item and counted, or not counted.
std::vector<ArrayItem> ArrayItems::counted_items(const Frame& frame, const Frame& after) {
  const ArraySpec& spec = shapes_.array(frame.spec);
  struct Choice {
    ConjId value;
    std::vector<std::uint32_t> counts;
  };
  std::vector<std::uint32_t> start = lists_[frame.set];
  start.resize(spec.contained.size(), 0);
  std::vector<Choice> choices{{spec.item(frame.count), start}};
  for (std::size_t i = 0; i < spec.contained.size() && choices.size() <= 64; ++i) {
    const Contained& contained = spec.contained[i];
    if (frame.count < contained.from) {
      continue;
    }
    std::vector<Choice> next;
    for (const Choice& choice : choices) {
      const std::uint32_t count = choice.counts[i];
      const bool has_max = contained.max != kNoLimit;
      if (!has_max && count >= contained.min) {
        next.push_back(choice);
        continue;
      }
      if (count < contained.max) {
        Choice counted = choice;
        counted.value = evaluator_.both(choice.value, contained.value);
        ++counted.counts[i];
        next.push_back(std::move(counted));
      }
      Choice other = choice;
      other.value = has_max ? evaluator_.both(choice.value, contained.other) : choice.value;
      next.push_back(std::move(other));
    }
    choices = std::move(next);
  }
  std::vector<ArrayItem> items;
  for (const Choice& choice : choices) {
    if (!shapes_.is_possible(choice.value) ||
        !shapes_.can_meet_contained(spec, after.count, choice.counts)) {
      continue;
    }
    Frame chosen = after;
    chosen.set = lists_.intern(choice.counts).first;
    items.push_back({chosen, choice.value});
  }
  return items;
}

}  // namespace vernal::grammar
