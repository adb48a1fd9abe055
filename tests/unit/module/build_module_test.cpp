#include "module/build_module.hpp"

#include "op_case.hpp"
#include "vernal/architecture_plugin.hpp"

namespace vernal::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// logits = linear(embed(ids)), with sizes from the metadata.
class Toy : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override {
    return {metadata.require_string("general.architecture") == "toy" ? 90U : 0U, "by name"};
  }
  std::string describe(const Metadata& metadata) const override {
    return "width = " + std::to_string(metadata.require_int("toy.width")) + "\n";
  }
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& b) const override {
    if (!options.functions.empty()) throw Error(VERNAL_UNSUPPORTED, "main only");
    const std::int64_t D = metadata.require_int("toy.width", {1, 1024});
    b.begin_function("main");
    const Tensor x =
        b.embed(b.input("ids", Element::kI32, {kTokens}), b.weight("embed.weight", {10, D}));
    const Tensor y = b.select_rows(x, b.input("rows", Element::kI32, {kRows}));
    b.output("logits", b.linear("head", y, b.weight("head.weight", {10, D}), {}, Element::kF32));
    b.end_function();
    b.hint("stop_token", "</s>");
  }
};

/// Every build adds a layer, so this architecture is not pure.
class Moody final : public Toy {
 public:
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& b) const override {
    Toy::build(metadata, options, b);
    b.hint("mood", std::to_string(reinterpret_cast<std::uintptr_t>(new_mood())));
  }

 private:
  static const char* new_mood() {
    static const char moods[8]{};
    static int next = 0;
    return &moods[next++ % 8];
  }
};

class Throwing final : public Toy {
 public:
  void build(const Metadata&, const BuildOptions&, const Builder& b) const override {
    b.begin_function("main");
    b.weight("absent.weight", {3});
    throw std::runtime_error("lost my way");
  }
};

class BuildModuleTest : public ::testing::Test {
 protected:
  BuildModuleTest() {
    metadata_.set("general.architecture", std::string("toy"));
    metadata_.set("toy.width", std::int64_t{8});
    weights_.set("embed.weight", {10, 8});
    weights_.set("head.weight", {10, 8});
    weights_.set("extra.weight", {3});
  }
  template <class T>
  ArchitecturePlugin plugin() {
    return {"toy", architecture_table<T>(), [] {
              const std::string text = plugin_host().last_error();
              plugin_host().set_error(VERNAL_OK, {});
              return text;
            }};
  }
  template <class T>
  std::string error(const ModuleOptions& options = {}) {
    try {
      build_module(plugin<T>(), model(), options);
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
    return "no error";
  }
  ArchitectureInput model() const { return {metadata_, weights_}; }

  FakeMetadata metadata_;
  FakeWeights weights_;
};

TEST_F(BuildModuleTest, ProbesAndDescribes) {
  const ArchitectureProbe probe = probe_architecture(plugin<Toy>(), model());
  EXPECT_EQ(probe.score, 90U);
  EXPECT_EQ(probe.reason, "by name");
  EXPECT_EQ(describe_architecture(plugin<Toy>(), model()), "width = 8\n");
  metadata_.erase("general.architecture");
  EXPECT_THROW(probe_architecture(plugin<Toy>(), model()), Error);
}

TEST_F(BuildModuleTest, GivesModuleAndHints) {
  const BuiltModule built = build_module(plugin<Toy>(), model(), {});
  EXPECT_EQ(built.module->architecture, "toy");
  EXPECT_EQ(built.module->functions[0].nodes.size(), 6U);
  EXPECT_THAT(built.hints, ElementsAre(Hint{"stop_token", "</s>"}));
  EXPECT_THAT(unused_tensors({built.module}, weights_), ElementsAre("extra.weight"));
}

TEST_F(BuildModuleTest, GivesTheSameFingerprintForTheSameFile) {
  const auto fingerprint = build_module(plugin<Toy>(), model(), {}).module->fingerprint;
  EXPECT_EQ(build_module(plugin<Toy>(), model(), {}).module->fingerprint, fingerprint);
  metadata_.set("toy.width", std::int64_t{4});
  weights_.set("embed.weight", {10, 4});
  weights_.set("head.weight", {10, 4});
  EXPECT_NE(build_module(plugin<Toy>(), model(), {}).module->fingerprint, fingerprint);
}

TEST_F(BuildModuleTest, RefusesAnArchitectureThatIsNotPure) {
  EXPECT_EQ(error<Moody>(),
            "INTERNAL: architecture \"toy\" is not pure: two builds of the same model differ");
}

TEST_F(BuildModuleTest, ListsAllProblemsOfTheWeights) {
  weights_.erase("embed.weight");
  weights_.set("head.weight", {10, 9});
  EXPECT_EQ(error<Toy>(),
            "INVALID_ARGUMENT: architecture \"toy\" cannot build this model, 2 problems:\n"
            "  weight \"embed.weight\": missing in the model file; expected [10, 8]\n"
            "  weight \"head.weight\": expected [10, 8], found [10, 9] in the model file");
}

TEST_F(BuildModuleTest, PassesOnWhatThePluginSays) {
  EXPECT_EQ(error<Toy>({.context_length = 0, .functions = {"mtp"}}),
            "UNSUPPORTED: architecture \"toy\" cannot build this model: main only");
  metadata_.set("toy.width", std::int64_t{0});
  EXPECT_EQ(error<Toy>(),
            "INVALID_ARGUMENT: architecture \"toy\" cannot build this model: metadata key "
            "\"toy.width\": expected 1 to 1024, found 0");
}

TEST_F(BuildModuleTest, SurvivesAnExceptionOfAnyType) {
  EXPECT_EQ(error<Throwing>(),
            "INVALID_ARGUMENT: architecture \"toy\" cannot build this model, 1 problem:\n"
            "  weight \"absent.weight\": missing in the model file; expected [3]\n"
            "  the plugin ended with: lost my way");
}

}  // namespace
}  // namespace vernal::test
