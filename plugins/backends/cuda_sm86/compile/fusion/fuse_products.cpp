#include <array>
#include <utility>

#include "compile/fusion/fusion.hpp"
#include "operations/linear.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Two quantised products that only a gated unit reads, and the unit.
void fuse_gated(OperationList& list, std::size_t number) {
  LinearOperation::Parameters p = list.find<LinearOperation>(number)->parameters();
  if (!p.is_quantised || p.matrices.size() != 2) return;
  const std::size_t reader = list.only_reader(p.matrices[0].y);
  const auto* glu = list.find<GluOperation>(reader);
  if (glu == nullptr || list.only_reader(p.matrices[1].y) != reader) return;
  const GluOperation::Parameters& unit = glu->parameters();
  const bool has_rows_of_products =
      unit.rows.leading == p.rows.leading && unit.rows.factor == p.rows.factor;
  if (!has_rows_of_products || unit.num_columns % (2 * kTileRows) != 0) return;
  if (unit.gate == p.matrices[1].y) std::swap(p.matrices[0], p.matrices[1]);
  list.fuse(std::array{number, reader}, std::make_unique<GatedLinearOperation>(p, unit));
}

/// A product and the later ones of the same x in other formats, as many as a launch takes.
void fuse_siblings(OperationList& list, std::size_t number) {
  const LinearOperation::Parameters& first = list.find<LinearOperation>(number)->parameters();
  if (!first.is_quantised) return;
  std::vector<std::size_t> numbers{number};
  std::vector<LinearOperation::Parameters> parts{first};
  std::size_t num_matrices = first.matrices.size();
  for (std::size_t i = number + 1; i < list.size(); ++i) {
    const auto* other = list.find<LinearOperation>(i);
    if (other == nullptr || other->parameters().x != first.x) continue;
    num_matrices += other->parameters().matrices.size();
    if (num_matrices > kMostProducts) break;
    numbers.push_back(i);
    parts.push_back(other->parameters());
  }
  if (parts.size() < 2) return;
  list.fuse(numbers, std::make_unique<MixedLinearOperation>(std::move(parts)));
}

}  // namespace

void fuse_products(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.find<LinearOperation>(i) != nullptr) fuse_gated(list, i);
    if (list.find<LinearOperation>(i) != nullptr) fuse_siblings(list, i);
  }
}

}  // namespace vernal::cuda_sm86
