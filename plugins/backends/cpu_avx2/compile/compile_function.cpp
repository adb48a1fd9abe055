#include <map>
#include <string_view>

#include "compile/compilers.hpp"

namespace vernal::cpu_avx2 {

namespace {

using Compiler = void (*)(FunctionBuilder&, const Node&);

/// The compiler of each operation that node_support.cpp lets through.
const std::map<std::string_view, Compiler>& compilers() {
  static const std::map<std::string_view, Compiler> kTable{
      {"vernal.input/1", compile_input},
      {"vernal.output/1", compile_output},
      {"vernal.embed/1", compile_embed},
      {"vernal.override_rows/1", compile_override_rows},
      {"vernal.rmsnorm/1", compile_norm},
      {"vernal.l2norm/1", compile_norm},
      {"vernal.linear/1", compile_linear},
      {"vernal.rope/1", compile_rope},
      {"vernal.attention/1", compile_attention},
      {"vernal.add/1", compile_binary},
      {"vernal.mul/1", compile_binary},
      {"vernal.scale/1", compile_map},
      {"vernal.act/1", compile_map},
      {"vernal.softcap/1", compile_map},
      {"vernal.glu/1", compile_glu},
      {"vernal.reshape/1", compile_reshape},
      {"vernal.slice/1", compile_slice},
      {"vernal.split/1", compile_split},
      {"vernal.concat/1", compile_concat},
      {"vernal.select_rows/1", compile_select_rows},
      {"vernal.conv1d_state/1", compile_conv1d_state},
      {"vernal.gated_delta_rule/1", compile_gated_delta_rule},
      {"vernal.moe_route/1", compile_moe_route},
      {"vernal.moe_glu/1", compile_moe_glu},
  };
  return kTable;
}

}  // namespace

CompiledFunction compile_function(const Module& module, std::uint32_t function,
                                  const CompileContext& context) {
  FunctionBuilder builder(module, module.functions[function], context);
  for (const Node& node : builder.function().nodes) {
    if (!builder.is_done(node)) compilers().at(node.op)(builder, node);
  }
  return builder.finish();
}

}  // namespace vernal::cpu_avx2
