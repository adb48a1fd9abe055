#include <array>

#include "compile/fusion/fusion.hpp"
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
    if (list.find<NormOperation>(i) != nullptr) fuse_gate(list, i);
  }
}

}  // namespace vernal::cuda_sm86
