#include "shared/compile/function_names.hpp"

#include <array>
#include <utility>

namespace vernal::backend {

namespace {

template <class Kind, std::size_t kSize>
std::optional<Kind> find(const std::array<std::pair<std::string_view, Kind>, kSize>& names,
                         std::string_view kind) {
  for (const auto& [name, value] : names) {
    if (name == kind) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Activation> find_activation(std::string_view kind) {
  static constexpr std::array<std::pair<std::string_view, Activation>, 9> kNames{{
      {"silu", Activation::kSilu},
      {"gelu_tanh", Activation::kGeluTanh},
      {"gelu_erf", Activation::kGeluErf},
      {"relu", Activation::kRelu},
      {"relu2", Activation::kRelu2},
      {"sigmoid", Activation::kSigmoid},
      {"softplus", Activation::kSoftplus},
      {"tanh", Activation::kTanh},
      {"exp", Activation::kExp},
  }};
  return find(kNames, kind);
}

std::optional<Glu> find_glu(std::string_view kind) {
  static constexpr std::array<std::pair<std::string_view, Glu>, 5> kNames{{
      {"swiglu", Glu::kSwiglu},
      {"geglu_tanh", Glu::kGegluTanh},
      {"geglu_erf", Glu::kGegluErf},
      {"reglu", Glu::kReglu},
      {"swiglu_oai", Glu::kSwigluOai},
  }};
  return find(kNames, kind);
}

}  // namespace vernal::backend
