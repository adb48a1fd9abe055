// A function while it is compiled: the values of its nodes as buffers, and the operations so far.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compile/compiled_function.hpp"
#include "shared/compile/function_values.hpp"

namespace vernal::cuda_sm86 {

using backend::kFloatBytes;
using backend::RowShape;

/// Nodes are compiled in their order, each by compile() of its descriptor (operation_table.hpp).
/// Borrows all that its constructor takes.
class FunctionBuilder final : public backend::FunctionValues {
 public:
  FunctionBuilder(const Module& module, const Function& function, const CompileContext& context);

  const CompileContext& context() const { return context_; }

  /// The 8-bit form of a value, made once.
  BufferId quantized(std::uint32_t value);

  /// `T` has a constructor from the arguments. Its name is that of the node being compiled.
  template <class T, class... Arguments>
  T* emit(Arguments&&... arguments) {
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T* raw = made.get();
    raw->name = name_;
    out_.operations.push_back(std::move(made));
    return raw;
  }
  /// Those that later ones of their kind may share.
  std::vector<RopeTableOperation*>& rope_tables() { return out_.rope_tables; }

  /// Compiles all nodes, then fixes places.
  CompiledFunction compile();

 private:
  const CompileContext& context_;
  CompiledFunction out_;
  std::string name_;
  std::map<std::pair<BufferId, std::int64_t>, BufferId> quantized_;  // by buffer and columns
};

}  // namespace vernal::cuda_sm86
