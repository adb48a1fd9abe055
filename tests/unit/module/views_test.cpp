// What plugins of older and newer interfaces read through the core's read-only tables.
#include <cstring>

#include "module/metadata_view.hpp"
#include "module/module_view.hpp"
#include "module/printer.hpp"
#include "op_case.hpp"

namespace vernal::test {
namespace {

/// An empty view whose struct_size is set.
template <class View>
View sized() {
  View view{};
  view.struct_size = sizeof(view);
  return view;
}

class ModuleViewTest : public OpCase {
 protected:
  std::shared_ptr<const Module> module() {
    const Tensor x = b_.input("heads", Element::kF32, {kTokens, 4, 8});
    const Tensor p = positions(3);
    const WeightRef factors = weight({4});
    RopeOptions options{.n_rot = 8, .mrope = "chunked", .sections = {2, 1, 1, 0}};
    options.factors = factors;
    const Tensor y = b_.rope(x, p, options);
    const StateRef conv = b_.state(ConvState{"conv", 2, 32, 4});
    b_.conv1d_state(b_.reshape(y, {kTokens, 32}), weight({32, 4}), {}, conv, "silu");
    b_.output("hidden", y, "all");
    b_.end_function();
    return std::make_shared<const Module>(core_.finish());
  }
};

TEST_F(ModuleViewTest, ReadsBackTheSameModule) {
  const auto made = module();
  expect_sound();
  const ModuleView view(made);
  const Module copy = read_module(view.ref());
  EXPECT_EQ(dump_module(copy), dump_module(*made));
  EXPECT_EQ(copy.fingerprint, made->fingerprint);
  EXPECT_EQ(copy.architecture, "test");
}

TEST_F(ModuleViewTest, AnswersNotFoundBeyondTheEnd) {
  const ModuleView view(module());
  const auto [api, m] = view.ref();
  auto function = sized<vernal_function_view>();
  auto node = sized<vernal_node_view>();
  auto value = sized<vernal_value_view>();
  auto weight = sized<vernal_weight_view>();
  auto state = sized<vernal_state_desc>();
  EXPECT_EQ(api->function(m, 1, &function), VERNAL_NOT_FOUND);
  EXPECT_EQ(api->node(m, 1, 0, &node), VERNAL_NOT_FOUND);
  EXPECT_EQ(api->node(m, 0, 99, &node), VERNAL_NOT_FOUND);
  EXPECT_EQ(api->value(m, 0, 99, &value), VERNAL_NOT_FOUND);
  EXPECT_EQ(api->weight(m, 2, &weight), VERNAL_NOT_FOUND);
  EXPECT_EQ(api->state(m, ~std::uint64_t{0}, &state), VERNAL_NOT_FOUND);
}

TEST_F(ModuleViewTest, WritesNoFurtherThanAnOlderCallerReaches) {
  const ModuleView view(module());
  const auto [api, m] = view.ref();
  vernal_weight_view weight;
  std::memset(&weight, 0xDB, sizeof(weight));
  weight.struct_size = offsetof(vernal_weight_view, dims);
  ASSERT_EQ(api->weight(m, 0, &weight), VERNAL_OK);
  EXPECT_EQ(vernal::view(weight.name), "w0.weight");
  EXPECT_EQ(weight.dims[0], static_cast<std::int64_t>(0xDBDBDBDBDBDBDBDB));
  EXPECT_EQ(weight.rank, 0xDBDBDBDBU);
}

TEST_F(ModuleViewTest, DumpStopsWhenTheReceiverRefuses) {
  const ModuleView view(module());
  const auto [api, m] = view.ref();
  const vernal_sink refusing{
      [](void*, const void*, std::uint64_t) -> std::int32_t { return VERNAL_CANCELLED; }, nullptr};
  EXPECT_EQ(api->dump(m, &refusing), VERNAL_CANCELLED);
  EXPECT_EQ(api->dump(m, nullptr), VERNAL_INVALID_ARGUMENT);
}

class MetadataTest : public ::testing::Test {
 protected:
  MetadataTest() : view_(source_, weights_), metadata_(view_.ref()) {
    source_.set("layers", std::int64_t{3});
    source_.set("eps", 1e-6);
    source_.set("tied", true);
    source_.set("name", std::string("tiny"));
    source_.set("pattern", FakeMetadata::Ints{1, 0, 1});
    source_.set("factors", FakeMetadata::Floats{0.5, 2});
    weights_.set("output.weight", {5, 8});
  }
  /// The text of the error that `call` throws.
  template <class Call>
  static std::string error(Call&& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  FakeMetadata source_;
  FakeWeights weights_;
  MetadataView view_;
  Metadata metadata_;
};

TEST_F(MetadataTest, ReadsEveryType) {
  EXPECT_EQ(metadata_.require_int("layers"), 3);
  EXPECT_EQ(metadata_.find_float("layers"), 3.0);
  EXPECT_EQ(metadata_.require_float("eps"), 1e-6);
  EXPECT_EQ(metadata_.find_bool("tied"), true);
  EXPECT_EQ(metadata_.require_string("name"), "tiny");
  EXPECT_THAT(*metadata_.find_ints("pattern"), ::testing::ElementsAre(1, 0, 1));
  EXPECT_THAT(*metadata_.find_floats("factors"), ::testing::ElementsAre(0.5, 2));
  EXPECT_EQ(metadata_.find_int("absent"), std::nullopt);
  EXPECT_TRUE(metadata_.is_array("pattern"));
  EXPECT_FALSE(metadata_.is_array("layers"));
}

TEST_F(MetadataTest, NamesTheKeyOfWhatIsWrong) {
  EXPECT_EQ(error([&] { metadata_.require_int("absent"); }),
            "metadata key \"absent\": the model file lacks this key");
  EXPECT_EQ(error([&] { metadata_.find_int("name"); }),
            "metadata key \"name\": expected an integer, found another type");
  EXPECT_EQ(error([&] {
              metadata_.require_int("layers", {4, 8});
            }),
            "metadata key \"layers\": expected 4 to 8, found 3");
  EXPECT_EQ(error([&] {
              metadata_.find_float("eps", {1, 2});
            }),
            "metadata key \"eps\": expected a number from 1 to 2, found 1e-06");
  EXPECT_EQ(error([&] { metadata_.find_ints("pattern", 2); }),
            "metadata key \"pattern\": expected at most 2 elements, found 3");
}

TEST_F(MetadataTest, TellsShapesAndFormatsOfTensors) {
  const auto tensor = metadata_.find_tensor("output.weight");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(shape_text(tensor->shape), "[5, 8]");
  EXPECT_EQ(tensor->format, "f16");
  EXPECT_EQ(tensor->bytes, 80U);
  EXPECT_FALSE(metadata_.has_tensor("absent"));
}

}  // namespace
}  // namespace vernal::test
