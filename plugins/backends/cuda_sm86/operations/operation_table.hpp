// What this backend knows of each operation of modules: the descriptors, and the table of them.
//
// An operation has one file here, operations/STEM.cpp. It says which attributes are read and what
// is refused, how a node is compiled, and which kernels run. At its end stands its descriptor;
// operation_table.cpp lists the files. Adding an operation means adding such a file, its kernels,
// and its line there.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "shared/compile/operation_descriptor.hpp"
#include "vernal/module.hpp"

namespace vernal::cuda_sm86 {

class FunctionBuilder;

using backend::Refusal;
using backend::WeightOperand;
using backend::WeightUse;
using OperationDescriptor = backend::OperationDescriptor<FunctionBuilder>;

/// The descriptor of an operation, or null: it is not supported.
const OperationDescriptor* find_operation(std::string_view op);

/// Why a node cannot be compiled; nothing if it can.
Refusal refusal(const Module& module, const Function& function, const Node& node);

}  // namespace vernal::cuda_sm86
