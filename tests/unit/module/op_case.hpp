// Tests of single operations, through the builder that plugins use.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "module/builder.hpp"
#include "support/fake_model.hpp"
#include "vernal/builder.hpp"

namespace vernal::test {

/// A builder inside the function "main". Every weight that is declared exists in the file.
class OpCase : public ::testing::Test {
 protected:
  OpCase() : core_("test", weights_), b_(core_.ref()) { b_.begin_function("main"); }

  Tensor value(const Dims& dims, Element element = Element::kAct) {
    return b_.input("v" + std::to_string(next_++), element, dims);
  }
  Tensor positions(std::int64_t axes = 1) {
    return b_.input("positions", Element::kI32, {kTokens, axes});
  }
  WeightRef weight(std::initializer_list<std::int64_t> dims) {
    const std::string name = "w" + std::to_string(next_++) + ".weight";
    weights_.set(name, dims);
    return b_.weight(name, Dims(dims));
  }
  StateRef kv(std::int64_t heads, std::int64_t key, std::int64_t value) {
    return b_.state(KvState{"kv", 0, heads, key, value, 0});
  }

  /// The type of a value: "act[T, 256]", or "unknown" after a problem.
  std::string type(Tensor x) const {
    try {
      const Value& value = core_.value(x.operand);
      return std::string(element_name(static_cast<Element>(value.element))) +
             shape_text(value.shape);
    } catch (const Error&) {
      return "unknown";
    }
  }
  /// Expects that there is exactly one problem, and that its text contains `part`.
  void expect_problem(const std::string& part) const {
    ASSERT_EQ(core_.problems().size(), 1U) << list_problems(core_.problems());
    EXPECT_THAT(core_.problems()[0].text, ::testing::HasSubstr(part));
  }
  void expect_sound() const {
    EXPECT_TRUE(core_.problems().empty()) << list_problems(core_.problems());
  }

  FakeWeights weights_;
  ModuleBuilder core_;
  Builder b_;
  int next_ = 0;
};

}  // namespace vernal::test
