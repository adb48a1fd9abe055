// Cases of operations that move values: reshape, slice, split, concat, select_rows, override_rows.
#include "plugin_check/cases/operation_case.hpp"

namespace vernal::check {

namespace {

/// Ids and positions that take another shape on their way. The table is longer than a 16-bit float
/// counts.
OperationCase integer_case() {
  constexpr std::int64_t kRows = 5000;
  constexpr std::int64_t kWidth = 8;
  RandomNumbers random(10);
  MadeWeights weights;
  weights.add("embedding", {kRows, kWidth}, random, 1.0);
  OperationCase made;
  made.label = "reshape of ids to [T,1] and back, and of positions";
  made.made = make_module(std::move(weights), [](const Builder& b) {
    const Tensor column = b.reshape(b.input("ids", Element::kI32, {kTokens}), {kTokens, 1});
    const Tensor ids = b.reshape(column, {kTokens});
    const Tensor positions = b.input("positions", Element::kI32, {kTokens, 1});
    const Tensor deep = b.reshape(positions, {kTokens, 1, 1});
    const Tensor flat = b.reshape(deep, {kTokens, 1});
    Tensor x = b.embed(ids, b.weight("embedding", {kRows, kWidth}), 1, Element::kF32);
    x = b.reshape(x, {kTokens, 1, kWidth});
    const Tensor turned = b.rope(x, flat, {.n_rot = kWidth});
    b.output("hidden", as_output(b, turned, kWidth), "all");
  });
  made.is_optional = true;  // models give integers in the shape that operations take
  return made;
}

}  // namespace

std::vector<OperationCase> layout_cases() {
  std::vector<OperationCase> cases;
  cases.push_back(
      case_over_x("reshape to [T,3,2,4] and back", 24, 24, {}, [](const Builder& b, Tensor x) {
        x = b.scale(b.reshape(x, {kTokens, 3, 2, 4}), 2);
        return b.reshape(x, {kTokens, 24});
      }));
  cases.push_back(case_over_x("slice of [T,20] from 3 to 10", 20, 7, {},
                              [](const Builder& b, Tensor x) { return b.slice(x, 1, 3, 7); }));
  cases.push_back(
      case_over_x("slice of one head of [T,5,8]", 40, 8, {}, [](const Builder& b, Tensor x) {
        return b.slice(b.reshape(x, {kTokens, 5, 8}), 1, 2, 1);
      }));
  cases.push_back(
      case_over_x("slice inside the heads of [T,5,8]", 40, 15, {}, [](const Builder& b, Tensor x) {
        return b.slice(b.reshape(x, {kTokens, 5, 8}), 2, 4, 3);
      }));
  cases.push_back(case_over_x("split into 1, 6 and 5, put together backwards", 12, 12, {},
                              [](const Builder& b, Tensor x) {
                                const auto parts = b.split(x, 1, {1, 6, 5});
                                return b.concat({parts[2], parts[1], parts[0]}, 1);
                              }));
  cases.push_back(case_over_x("split of heads, put together in heads", 48, 48, {},
                              [](const Builder& b, Tensor x) {
                                x = b.reshape(x, {kTokens, 6, 8});
                                const auto parts = b.split(x, 1, {2, 4});
                                return b.concat({parts[1], parts[0]}, 1);
                              }));
  cases.push_back(case_over_x("concat along the last of three dimensions", 24, 48, {},
                              [](const Builder& b, Tensor x) {
                                x = b.reshape(x, {kTokens, 3, 8});
                                return b.concat({x, b.scale(x, 2)}, 2);
                              }));
  cases.push_back(case_over_x("concat of one value, and a value used twice", 8, 16, {},
                              [](const Builder& b, Tensor x) {
                                const Tensor y = b.concat({x}, 1);
                                return b.concat({y, y}, 1);
                              }));
  cases.push_back(integer_case());
  return cases;
}

std::vector<OperationCase> row_choice_cases() {
  std::vector<OperationCase> cases;
  RandomNumbers random(9);
  MadeWeights weights;
  weights.add("map", {24, 64}, random);
  OperationCase made;
  made.label = "select_rows before a linear map, output of the rows wanted";
  made.accuracy = Accuracy::kLinear;
  made.made = make_module(std::move(weights), [](const Builder& b) {
    const Tensor x = b.input("x", Element::kF32, {kTokens, 64});
    const Tensor chosen = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
    b.output("hidden", b.linear("map", chosen, b.weight("map", {24, 64}), {}, Element::kF32));
  });
  cases.push_back(std::move(made));
  return cases;
}

std::vector<OperationCase> override_rows_cases() {
  std::vector<OperationCase> cases;
  cases.push_back(
      case_over_x("override_rows by two rows", 16, 16, {}, [](const Builder& b, Tensor x) {
        const Tensor ext = b.input("ext", Element::kF32, {kExternal, 16});
        const Tensor index = b.input("ext_index", Element::kI32, {kExternal});
        return b.override_rows(x, ext, index);
      }));
  return cases;
}

}  // namespace vernal::check
