// One operation in a small module, run by the plugin and by the reference operations.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin_check/models/made_module.hpp"
#include "plugin_check/subject/machine.hpp"

namespace vernal::check {

/// Which column of the accuracy table of operations.md binds a case.
enum class Accuracy {
  kElement,    ///< element-wise, norms, rope: also where nothing is computed
  kLinear,     ///< products with weights, activations in 8 bits at worst
  kExperts,    ///< three of them in a row
  kAttention,  ///< over keys and values in f16
  kDelta,      ///< gated delta rule
};

struct OperationCase {
  std::string label;  ///< "rope yarn, 3 heads of 24"
  MadeModule made;
  Accuracy accuracy = Accuracy::kElement;
  /// A backend may refuse it, with a reason: an attribute or a shape that not all models have.
  bool is_optional = false;
  /// It runs the long script too: hundreds of keys and tokens, nine sequences in a step.
  bool is_long = false;
};

/// Greatest NMSE that operations.md allows.
///   element   what ACT became: vernal_plan_info.activation_element
double bound_of(Accuracy accuracy, std::uint32_t element);

/// Runs the case in steps of 1, 7 and 65 tokens of one sequence, and of two to four sequences
/// together, and expects the reference's numbers in each. A long case also runs in steps of 257 and
/// 513 tokens, over up to 771 keys, and with nine sequences. A case that the plugin refuses is a
/// finding, or a note if it is optional.
void compare_with_oracle(plugin::BackendInstance& backend, const OperationCase& tested);

/// Why the plugin refuses a node of the module; empty if it refuses none.
std::string refusal_of(plugin::BackendInstance& backend, const MadeModule& made);

/// Expects `found` to be `reference` within `bound`, as a whole and in every row of `columns`; what
/// is wrong is called `label`.
void expect_close(const std::string& label, std::span<const float> found,
                  std::span<const float> reference, std::size_t columns, double bound);

// Cases by operation.
std::vector<OperationCase> embed_cases();
std::vector<OperationCase> override_rows_cases();
std::vector<OperationCase> rmsnorm_cases();
std::vector<OperationCase> linear_cases();
std::vector<OperationCase> rope_cases();
std::vector<OperationCase> attention_cases();
std::vector<OperationCase> window_cases();
std::vector<OperationCase> arithmetic_cases();
std::vector<OperationCase> act_cases();
std::vector<OperationCase> glu_cases();
std::vector<OperationCase> softcap_cases();
std::vector<OperationCase> layout_cases();
std::vector<OperationCase> row_choice_cases();
std::vector<OperationCase> l2norm_cases();
std::vector<OperationCase> convolution_cases();
std::vector<OperationCase> delta_rule_cases();
std::vector<OperationCase> expert_cases();

/// A case whose main function is `body` over the f32 input "x" [T, width], made a [T, columns]
/// output.
///   body   (builder, x) -> any value of T rows with `columns` elements each
OperationCase case_over_x(std::string label, std::int64_t width, std::int64_t columns,
                          MadeWeights weights,
                          const std::function<Tensor(const Builder&, Tensor)>& body);

/// `x` as f32 [T, columns], whatever its kind and shape.
Tensor as_output(const Builder& b, Tensor x, std::int64_t columns);

}  // namespace vernal::check
