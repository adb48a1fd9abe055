#include <array>
#include <optional>

#include "compile/fusion/fusion.hpp"
#include "operations/elementwise.hpp"
#include "operations/linear.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// The weight that an operation adds to, or multiplies with, every row of a value, or -1.
std::int64_t row_weight(const BinaryOperation::Parameters& p, BufferId value) {
  const bool is_first = p.a.value == value;
  const BinaryOperation::Source& other = is_first ? p.b : p.a;
  const bool is_row = p.dims[0] == 1 && p.dims[1] == 1 && other.strides[0] == 0 &&
                      other.strides[3] == (p.dims[2] == 1 ? 0 : 1);
  return other.value == kNoBuffer && is_row ? other.weight : -1;
}

/// The product with what `next` does to its result, if a product can do that.
std::optional<LinearOperation::Matrix> extended(const LinearOperation::Matrix& matrix,
                                                const OperationList& list, std::size_t next) {
  LinearOperation::Matrix out = matrix;
  if (const auto* map = list.find<MapOperation>(next)) {
    const MapOperation::Parameters& p = map->parameters();
    if (p.kind != Map::Kind::kActivate || matrix.activation || matrix.factors >= 0) return {};
    out.activation = p.activation;
    out.y = p.y;
    return out;
  }
  const auto* binary = list.find<BinaryOperation>(next);
  if (binary == nullptr) return {};
  const BinaryOperation::Parameters& p = binary->parameters();
  const std::int64_t weight = row_weight(p, matrix.y);
  if (weight < 0 || matrix.factors >= 0) return {};
  if (p.is_product) {
    out.factors = weight;
  } else {
    const bool is_plain = matrix.bias < 0 && matrix.residual == kNoBuffer && !matrix.activation;
    if (!is_plain) return {};
    out.bias = weight;
  }
  out.y = p.y;
  return out;
}

/// Extends one product of an operation. Returns its number afterwards, or kNone: there is no more.
std::size_t extend_one(OperationList& list, std::size_t number) {
  const LinearOperation& linear = *list.find<LinearOperation>(number);
  for (std::size_t m = 0; m < linear.parameters().matrices.size(); ++m) {
    const LinearOperation::Matrix& matrix = linear.parameters().matrices[m];
    const std::size_t next = list.only_reader(matrix.y);
    const auto longer = extended(matrix, list, next);
    if (!longer) continue;
    LinearOperation::Parameters p = linear.parameters();
    p.matrices[m] = *longer;
    const BufferId result = longer->y;
    if (list.fuse(std::array{number, next}, std::make_unique<LinearOperation>(std::move(p)))) {
      return list.writer(result);
    }
  }
  return OperationList::kNone;
}

}  // namespace

void fuse_epilogues(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.find<LinearOperation>(i) == nullptr) continue;
    for (std::size_t number = i; number != OperationList::kNone;) number = extend_one(list, number);
  }
}

}  // namespace vernal::cuda_sm86
