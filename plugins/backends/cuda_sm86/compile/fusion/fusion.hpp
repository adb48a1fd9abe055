// Fewer launches: operations that follow each other become one. Which ones do depends on who reads
// what they make, and on nothing else; no rule knows an architecture.
//
// A fused operation adds, multiplies and rounds in the order of its parts. So its results have the
// bits of theirs, and a step too large for a fused kernel may run the parts instead.
#pragma once

#include <span>

#include "compile/fusion/operation_list.hpp"

namespace vernal::cuda_sm86 {

/// Applies all rules to a function.
///   results  buffers that the function gives to its caller
OperationList::Operations fuse_operations(OperationList::Operations operations,
                                          std::span<const BufferId> results);

// ---- the rules, each with a file of its name

/// (slice or split + norm + rope) + attention + (multiply by the sigmoid of a value): it norms and turns
/// rows where they are.
void fuse_attention(OperationList& list);
/// linear + (add a weight) + act + (multiply by a weight): in the product.
void fuse_epilogues(OperationList& list);
/// slice or split + the delta rule: it reads the part where it is.
void fuse_slices(OperationList& list);
/// select_rows + norm + (add or glu): one pass over the rows.
void fuse_norms(OperationList& list);
/// What makes a value also writes its 8-bit form (Operation::with_blocks).
void fuse_quantization(OperationList& list);
/// A norm + the norm of its result.
void fuse_norm_pairs(OperationList& list);
/// The delta rule + the norm of its heads, with what that has taken in.
void fuse_normed_rules(OperationList& list);
/// Two products of one x + the gated unit of their results; then products of one x with matrices of
/// several formats.
void fuse_products(OperationList& list);

}  // namespace vernal::cuda_sm86
