#include "compile/compiled_function.hpp"

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"

namespace vernal::cpu_avx2 {

CompiledFunction compile_function(const Module& module, std::uint32_t function,
                                  const CompileContext& context) {
  FunctionBuilder builder(module, module.functions[function], context);
  for (const Node& node : builder.function().nodes) {
    if (builder.is_done(node)) continue;
    builder.begin_node(node);
    find_operation(node.op)->compile(builder, node);
  }
  return builder.finish();
}

}  // namespace vernal::cpu_avx2
