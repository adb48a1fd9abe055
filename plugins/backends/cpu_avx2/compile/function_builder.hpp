// A function while it is compiled: the values of its nodes as buffers, and the operations so far.
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "compile/compiled_function.hpp"
#include "operations/row_operation.hpp"
#include "shared/compile/function_values.hpp"

namespace vernal::cpu_avx2 {

using backend::kFloatBytes;
using backend::RowShape;

/// Nodes are compiled in their order, each by compile() of its descriptor (operation_table.hpp).
/// Borrows all that its constructor takes.
class FunctionBuilder final : public backend::FunctionValues {
 public:
  FunctionBuilder(const Module& module, const Function& function, const CompileContext& context);

  const CompileContext& context() const { return context_; }

  /// As FunctionValues. Rows of the same length are quantised together.
  void share_buffer(std::uint32_t value, std::uint32_t other);
  /// The 8-bit form of a value, made once: by its producer if that makes rows, else by itself.
  BufferId quantized(std::uint32_t value, ActivationKind kind);

  /// Operations emitted from now on count as work of this node.
  void begin_node(const Node& node);

  template <class T, class... Arguments>
  T* emit(Arguments&&... arguments) {
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    made->timer = timer_;
    T* raw = made.get();
    out_.operations.push_back(std::move(made));
    return raw;
  }
  /// A RowOperation, which can quantise the node's result as well.
  template <class T>
  void emit_rows(const Node& node, const typename T::Parameters& parameters) {
    producers_[node.outputs[0]] = emit<T>(parameters);
  }
  /// Those that later ones of their kind may share.
  std::vector<RopeTableOperation*>& rope_tables() { return out_.rope_tables; }
  std::vector<const AttentionOperation*>& scheduled() { return out_.scheduled; }

  /// Once, after the last node: fixes places and barriers.
  CompiledFunction finish();

 private:
  const CompileContext& context_;
  CompiledFunction out_;
  std::uint32_t timer_ = 0;
  std::vector<RowOperation*> producers_;  // by value; null unless rows are made one by one
  std::map<std::tuple<BufferId, std::int64_t, ActivationKind>, BufferId> quantized_;
};

}  // namespace vernal::cpu_avx2
