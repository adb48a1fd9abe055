// What turns a supported node (node_support.hpp) into operations: one function for an operation of
// the module, or for a few that differ in one parameter. Each takes its operands' buffers, makes
// those of its results, and emits. compile_function.cpp has the table.
#pragma once

#include "compile/function_builder.hpp"

namespace vernal::cpu_avx2 {

// rows.cpp: what is computed row by row
void compile_embed(FunctionBuilder& builder, const Node& node);
void compile_select_rows(FunctionBuilder& builder, const Node& node);
void compile_override_rows(FunctionBuilder& builder, const Node& node);
void compile_norm(FunctionBuilder& builder, const Node& node);  ///< rmsnorm/1, l2norm/1
void compile_glu(FunctionBuilder& builder, const Node& node);
void compile_map(FunctionBuilder& builder, const Node& node);     ///< act/1, scale/1, softcap/1
void compile_binary(FunctionBuilder& builder, const Node& node);  ///< add/1, mul/1

// shapes.cpp: what only moves numbers, or not even that
void compile_input(FunctionBuilder& builder, const Node& node);
void compile_output(FunctionBuilder& builder, const Node& node);
void compile_reshape(FunctionBuilder& builder, const Node& node);
void compile_slice(FunctionBuilder& builder, const Node& node);
void compile_split(FunctionBuilder& builder, const Node& node);
void compile_concat(FunctionBuilder& builder, const Node& node);

// linear.cpp
/// Takes in the add/1 after it, if that adds something already computed.
void compile_linear(FunctionBuilder& builder, const Node& node);

// positions.cpp
void compile_rope(FunctionBuilder& builder, const Node& node);
void compile_attention(FunctionBuilder& builder, const Node& node);

// recurrent.cpp
void compile_conv1d_state(FunctionBuilder& builder, const Node& node);
void compile_gated_delta_rule(FunctionBuilder& builder, const Node& node);

// experts.cpp
void compile_moe_route(FunctionBuilder& builder, const Node& node);
void compile_moe_glu(FunctionBuilder& builder, const Node& node);

}  // namespace vernal::cpu_avx2
