// The operations of a function while they are fused: who makes what, and who reads it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

/// Operations in the order in which they run. Each writes buffers that nothing has written before it,
/// but for the parts of a concatenation. An operation keeps its number; of those that become one, all
/// but one number are empty from then on.
class OperationList {
 public:
  using Operations = std::vector<std::unique_ptr<Operation>>;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  ///   results  buffers that the function gives to its caller
  OperationList(Operations operations, std::span<const BufferId> results);

  std::size_t size() const { return operations_.size(); }
  /// An operation of a kind by its number, or null.
  template <class Kind>
  const Kind* find(std::size_t number) const {
    if (number >= operations_.size()) return nullptr;
    return dynamic_cast<const Kind*>(operations_[number].get());
  }
  const Operation* at(std::size_t number) const { return operations_[number].get(); }

  /// The one operation that writes a buffer, else kNone.
  std::size_t writer(BufferId buffer) const;
  /// How many read it. The caller of the function counts as one.
  std::size_t num_readers(BufferId buffer) const;
  /// The operation that reads a buffer, if it is the only one and nobody else does, else kNone.
  std::size_t only_reader(BufferId buffer) const;

  /// Puts `fused` in the place of its parts. False, and nothing is changed, if what lies between them
  /// must run after one and before another.
  bool fuse(std::span<const std::size_t> parts, std::unique_ptr<Operation> fused);

  /// All of them, in order. Leaves nothing.
  Operations take();

 private:
  struct Use {
    std::vector<std::size_t> writers;
    std::vector<std::size_t> readers;
    bool is_result = false;
  };
  const Use& use(BufferId buffer) const;
  Use& use(BufferId buffer);
  void note(std::size_t number);
  void forget(std::size_t number);
  /// The part whose place the fused operation can take, or kNone.
  std::size_t place_of(std::span<const std::size_t> parts, const Operation& fused) const;

  Operations operations_;
  std::vector<Use> uses_;  // by buffer
};

}  // namespace vernal::cuda_sm86
