#include "compile/fusion/operation_list.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace vernal::cuda_sm86 {

OperationList::OperationList(Operations operations, std::span<const BufferId> results)
    : operations_(std::move(operations)) {
  for (std::size_t i = 0; i < operations_.size(); ++i) note(i);
  for (const BufferId result : results) use(result).is_result = true;
}

const OperationList::Use& OperationList::use(BufferId buffer) const {
  static const Use kUnused;
  const auto i = static_cast<std::size_t>(buffer);
  return i < uses_.size() ? uses_[i] : kUnused;
}

OperationList::Use& OperationList::use(BufferId buffer) {
  const auto i = static_cast<std::size_t>(buffer);
  if (i >= uses_.size()) uses_.resize(i + 1);
  return uses_[i];
}

void OperationList::note(std::size_t number) {
  const Operation& operation = *operations_[number];
  const auto add = [number](std::vector<std::size_t>& numbers) {
    if (std::ranges::find(numbers, number) == numbers.end()) numbers.push_back(number);
  };
  for (const BufferId buffer : operation.reads) add(use(buffer).readers);
  for (const BufferId buffer : operation.writes) add(use(buffer).writers);
}

void OperationList::forget(std::size_t number) {
  const Operation& operation = *operations_[number];
  for (const BufferId buffer : operation.reads) std::erase(use(buffer).readers, number);
  for (const BufferId buffer : operation.writes) std::erase(use(buffer).writers, number);
}

std::size_t OperationList::writer(BufferId buffer) const {
  const std::vector<std::size_t>& writers = use(buffer).writers;
  return writers.size() == 1 ? writers.front() : kNone;
}

std::size_t OperationList::num_readers(BufferId buffer) const {
  const Use& found = use(buffer);
  return found.readers.size() + (found.is_result ? 1 : 0);
}

std::size_t OperationList::only_reader(BufferId buffer) const {
  return num_readers(buffer) == 1 && !use(buffer).is_result ? use(buffer).readers.front() : kNone;
}

std::size_t OperationList::place_of(std::span<const std::size_t> parts,
                                    const Operation& fused) const {
  const auto is_part = [&](std::size_t i) { return std::ranges::find(parts, i) != parts.end(); };
  std::size_t first = 0;                 // it may stand here or later
  std::size_t end = operations_.size();  // and before this
  for (const BufferId buffer : fused.reads) {
    for (const std::size_t i : use(buffer).writers) {
      if (!is_part(i)) first = std::max(first, i + 1);
    }
  }
  for (const BufferId buffer : fused.writes) {
    for (const std::size_t i : use(buffer).readers) {
      if (!is_part(i)) end = std::min(end, i);
    }
  }
  std::size_t place = kNone;
  for (const std::size_t i : parts) {
    if (i >= first && i < end && (place == kNone || i > place)) place = i;
  }
  return place;
}

bool OperationList::fuse(std::span<const std::size_t> parts, std::unique_ptr<Operation> fused) {
  const std::size_t place = place_of(parts, *fused);
  if (place == kNone) return false;
  fused->name.clear();
  for (const std::size_t i : parts) {
    fused->name += (fused->name.empty() ? "" : " + ") + operations_[i]->name;
    forget(i);
    operations_[i].reset();
  }
  operations_[place] = std::move(fused);
  note(place);
  return true;
}

OperationList::Operations OperationList::take() {
  std::erase(operations_, nullptr);
  uses_.clear();
  return std::move(operations_);
}

}  // namespace vernal::cuda_sm86
