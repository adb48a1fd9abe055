// Attributes that glu and moe_glu share.
#pragma once

#include "module/node_inference.hpp"
#include "module/op_registry.hpp"

namespace vernal {

inline constexpr AttributeSpec kGluKind = {
    .name = "kind",
    .type = VERNAL_ATTR_STRING,
    .required = true,
    .choices = "swiglu|geglu_tanh|geglu_erf|reglu|swiglu_oai"};
inline constexpr AttributeSpec kGluAlpha = {.name = "alpha", .type = VERNAL_ATTR_FLOAT};
inline constexpr AttributeSpec kGluLimit = {
    .name = "limit", .type = VERNAL_ATTR_FLOAT, .minimum = 0};

/// Reports alpha and limit if the kind does not read them: a number that is ignored is a mistake.
inline void check_glu_attributes(NodeInference& n) {
  const std::string_view kind = n.node().text("kind", "");
  if (kind == "swiglu_oai") return;
  for (const std::string_view name : {"alpha", "limit"}) {
    if (n.node().find(name) != nullptr)
      n.problem("attribute \"{}\" has no meaning for {}", name, kind);
  }
}

}  // namespace vernal
