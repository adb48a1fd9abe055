#include <array>

#include "compile/fusion/fusion.hpp"
#include "operations/elementwise.hpp"
#include "operations/layout.hpp"
#include "operations/norm.hpp"

namespace vernal::cuda_sm86 {

namespace {

void fuse_selection(OperationList& list, std::size_t number) {
  const std::size_t writer = list.writer(list.find<NormOperation>(number)->parameters().x);
  const auto* select = list.find<SelectRowsOperation>(writer);
  if (select == nullptr || list.only_reader(select->writes[0]) != number) return;
  NormOperation::Parameters p = list.find<NormOperation>(number)->parameters();
  if (p.num_columns != select->num_columns() || p.index != kNoBuffer) return;
  p.x = select->reads[0];
  p.index = select->reads[1];
  list.fuse(std::array{writer, number}, std::make_unique<NormOperation>(p));
}

void fuse_residual(OperationList& list, std::size_t number) {
  NormOperation::Parameters p = list.find<NormOperation>(number)->parameters();
  const std::size_t reader = list.only_reader(p.y);
  const auto* add = list.find<BinaryOperation>(reader);
  if (add == nullptr || add->parameters().is_product) return;
  const BinaryOperation::Parameters& sum = add->parameters();
  const BinaryOperation::Source& other = sum.a.value == p.y ? sum.b : sum.a;
  const bool is_alike =
      other.value != kNoBuffer && other.value != p.y && sum.a.strides == sum.b.strides;
  if (!is_alike || p.residual != kNoBuffer || p.gate != kNoBuffer) return;
  p.residual = other.value;
  p.y = sum.y;
  list.fuse(std::array{number, reader}, std::make_unique<NormOperation>(p));
}

void fuse_gate(OperationList& list, std::size_t number) {
  NormOperation::Parameters p = list.find<NormOperation>(number)->parameters();
  const std::size_t reader = list.only_reader(p.y);
  const auto* glu = list.find<GluOperation>(reader);
  if (glu == nullptr || p.gate != kNoBuffer) return;
  const GluOperation::Parameters& unit = glu->parameters();
  if (unit.up != p.y || unit.gate == p.y || unit.num_columns != p.num_columns) return;
  p.gate = unit.gate;
  p.glu = unit.glu;
  p.y = unit.y;
  list.fuse(std::array{number, reader}, std::make_unique<NormOperation>(p));
}

}  // namespace

void fuse_norms(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.find<NormOperation>(i) != nullptr) fuse_selection(list, i);
    if (list.find<NormOperation>(i) != nullptr) fuse_residual(list, i);
    if (list.find<NormOperation>(i) != nullptr) fuse_gate(list, i);
  }
}

void fuse_norm_pairs(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* second = list.find<NormOperation>(i);
    if (second == nullptr || second->parameters().index != kNoBuffer) continue;
    const std::size_t writer = list.writer(second->parameters().x);
    const auto* first = list.find<NormOperation>(writer);
    if (first == nullptr || first->parameters().y != second->parameters().x) continue;
    const NormOperation::Parameters& p = first->parameters();
    const NormOperation::Parameters& q = second->parameters();
    const bool is_alike = p.num_columns == q.num_columns && p.rows.leading == q.rows.leading &&
                          p.rows.factor == q.rows.factor;
    if (!is_alike) continue;
    list.fuse(std::array{writer, i}, std::make_unique<NormPairOperation>(p, q));
  }
}

}  // namespace vernal::cuda_sm86
