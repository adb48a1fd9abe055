// What this backend knows of each operation of modules: the descriptors, and the table of them.
//
// An operation has one file here, operations/STEM.cpp. It says which attributes are read and what
// is refused, how a node is compiled, and how the compiled operation runs. At its end stands its
// descriptor; operation_table.cpp lists the files. Adding an operation means adding such a file and
// its line there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

class FunctionBuilder;

/// What an operation does with a weight; decides how it is kept in memory.
enum class WeightUse : std::uint8_t {
  kNumbers,  ///< reads its numbers one by one
  kTable,    ///< looks rows up: [rows, columns]
  kMatrix,   ///< multiplies with it: [rows, columns]
  /// Multiplies with some of its matrices: [experts, rows, columns]. Operand 1 of the node has the
  /// ids of those that a token uses, [T, k].
  kExpertMatrices,
};

/// An operand that is a weight, and its use. Those that are not named are kNumbers.
struct WeightOperand {
  std::size_t operand;
  WeightUse use;
};

using Refusal = std::optional<std::string>;

/// One operation of modules.
struct OperationDescriptor {
  std::string_view op;                           ///< "vernal.rope/1"
  std::span<const std::string_view> attributes;  ///< those that are read; others are refused
  /// Turns a node that is not refused into operations over buffers: takes its operands' buffers,
  /// makes those of its results, and emits.
  void (*compile)(FunctionBuilder& builder, const Node& node) = nullptr;
  /// Why a node cannot be compiled, beyond what holds for all operations; null: no more than that.
  Refusal (*refuse)(const Module& module, const Function& function, const Node& node) = nullptr;
  std::span<const WeightOperand> weights = {};
  bool makes_integers = false;  ///< its results may be integers

  WeightUse weight_use(std::size_t operand) const;
};

/// The descriptor of an operation, or null: it is not supported.
const OperationDescriptor* find_operation(std::string_view op);

/// Why a node cannot be compiled; nothing if it can.
Refusal refusal(const Module& module, const Function& function, const Node& node);

/// Why the heads of two operands, [.., .., numbers], are not for the kernels; nothing if they are.
Refusal refuse_heads(const Function& function, const Node& node, std::size_t first,
                     std::size_t second);

}  // namespace vernal::cpu_avx2
