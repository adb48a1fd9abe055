// The attributes that backends read of each operation, with the options of vernal/op_options.hpp, and
// what operations do with their weights.
#pragma once

#include <array>
#include <string_view>

#include "shared/compile/operation_descriptor.hpp"

namespace vernal::backend {

inline constexpr std::array<std::string_view, 1> kActAttributes{"kind"};
inline constexpr std::array<std::string_view, 3> kAttentionAttributes{"scale", "causal", "softcap"};
inline constexpr std::array<std::string_view, 1> kConcatAttributes{"axis"};
inline constexpr std::array<std::string_view, 1> kConv1dAttributes{"activation"};
inline constexpr std::array<std::string_view, 4> kDeltaRuleAttributes{"scale", "qk_l2norm", "eps",
                                                                      "head_map"};
inline constexpr std::array<std::string_view, 2> kEmbedAttributes{"scale", "out"};
inline constexpr std::array<std::string_view, 4> kExpertsAttributes{"kind", "alpha", "limit",
                                                                    "weight_on"};
inline constexpr std::array<std::string_view, 3> kGluAttributes{"kind", "alpha", "limit"};
inline constexpr std::array<std::string_view, 3> kInputAttributes{"name", "dtype", "shape"};
inline constexpr std::array<std::string_view, 1> kLinearAttributes{"out"};
inline constexpr std::array<std::string_view, 2> kNormAttributes{"eps", "out"};
inline constexpr std::array<std::string_view, 2> kOutputAttributes{"name", "rows"};
inline constexpr std::array<std::string_view, 1> kReshapeAttributes{"shape"};
inline constexpr std::array<std::string_view, 14> kRopeAttributes{"n_rot",
                                                                  "style",
                                                                  "base",
                                                                  "scaling",
                                                                  "factor",
                                                                  "beta_fast",
                                                                  "beta_slow",
                                                                  "extrapolation",
                                                                  "low_freq_factor",
                                                                  "high_freq_factor",
                                                                  "magnitude",
                                                                  "mrope",
                                                                  "sections",
                                                                  "original_context_length"};
inline constexpr std::array<std::string_view, 7> kRouteAttributes{
    "k", "score", "when", "renorm", "scale", "n_group", "topk_group"};
inline constexpr std::array<std::string_view, 1> kScaleAttributes{"scale"};
inline constexpr std::array<std::string_view, 3> kSliceAttributes{"axis", "start", "length"};
inline constexpr std::array<std::string_view, 1> kSoftcapAttributes{"c"};
inline constexpr std::array<std::string_view, 2> kSplitAttributes{"axis", "sizes"};

inline constexpr std::array kEmbedWeights{WeightOperand{1, WeightUse::kTable}};
inline constexpr std::array kExpertWeights{WeightOperand{3, WeightUse::kExpertMatrices},
                                           WeightOperand{4, WeightUse::kExpertMatrices},
                                           WeightOperand{5, WeightUse::kExpertMatrices}};
inline constexpr std::array kLinearWeights{WeightOperand{1, WeightUse::kMatrix}};

}  // namespace vernal::backend
