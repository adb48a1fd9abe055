#include "module/printer.hpp"

#include "op_case.hpp"

namespace vernal::test {
namespace {

class PrinterTest : public OpCase {
 protected:
  Module module() {
    const Tensor x = b_.input("hidden", Element::kF32, {kTokens, 8});
    weights_.set("output.weight", {4, 8});
    const WeightRef w = b_.weight("output.weight", {4, 8});
    const StateRef kv = b_.state(KvState{"blk.0.kv", 0, 1, 4, 4, 16});
    Tensor y;
    {
      const Scope scope = b_.scope("blk", 0);
      const Tensor q = b_.reshape(b_.linear("q", x, w), {kTokens, 1, 4});
      const Tensor a =
          b_.attention(b_.rope(q, positions(), {.n_rot = 4}), q, q, kv, {.scale = 0.1});
      y = b_.add(b_.slice(x, 1, 0, 4), a);
    }
    b_.output("hidden", y, "all");
    b_.end_function();
    return core_.finish();
  }
};

TEST_F(PrinterTest, WritesOneNodeALine) {
  EXPECT_EQ(dump_module(module()),
            R"(vernal module 1
architecture "test"

weights
  $0 "output.weight" f16 [4, 8] bytes=64 uses=1

states
  @0 "blk.0.kv" function=0 layer=0 kv heads=1 key=4 value=4 window=16

function "main"
  %0 = vernal.input/1() dtype="f32" name="hidden" shape=[-1, 8] : f32[T, 8]  # hidden
  %1 = vernal.linear/1(%0, $0) out="act" : act[T, 4]  # blk.0.q
  %2 = vernal.reshape/1(%1) shape=[-1, 1, 4] : act[T, 1, 4]  # blk.0.reshape
  %3 = vernal.input/1() dtype="i32" name="positions" shape=[-1, 1] : i32[T, 1]  # blk.0.positions
  %4 = vernal.rope/1(%2, %3) base=10000.0 magnitude=1.0 mrope="none" n_rot=4 scaling="none" style="neox" : act[T, 1, 4]  # blk.0.rope
  %5 = vernal.attention/1(%4, %2, %2, @0) causal=1 scale=0.1 softcap=0.0 : act[T, 4]  # blk.0.attention
  %6 = vernal.slice/1(%0) axis=1 length=4 start=0 : f32[T, 4]  # blk.0.slice
  %7 = vernal.add/1(%6, %5) : f32[T, 4]  # blk.0.add
  vernal.output/1(%7) name="hidden" rows="all"  # hidden.2
)");
}

TEST_F(PrinterTest, FingerprintIsTheHashOfTheText) {
  const Module made = module();
  // sha256sum of the text in the test above. If it changes, every stored snapshot is refused.
  EXPECT_EQ(fingerprint_text(fingerprint_module(made)),
            "701c26e3b097892c492abb19927da694aacd20661e8b888985584580bf7d36f1");
  EXPECT_EQ(made.fingerprint, fingerprint_module(made));
}

TEST_F(PrinterTest, FingerprintSeesEveryPart) {
  const Module made = module();
  const auto differs = [&](auto&& change) {
    Module other = made;
    change(other);
    return fingerprint_module(other) != fingerprint_module(made);
  };
  EXPECT_TRUE(differs([](Module& m) { m.architecture = "other"; }));
  EXPECT_TRUE(differs([](Module& m) { m.weights[0].format = "bf16"; }));
  EXPECT_TRUE(differs([](Module& m) { m.states[0].window = 17; }));
  EXPECT_TRUE(differs([](Module& m) { m.functions[0].nodes[5].attributes[0].number += 1e-16; }));
  EXPECT_TRUE(differs([](Module& m) { m.functions[0].nodes[4].operands.pop_back(); }));
  EXPECT_TRUE(differs([](Module& m) { m.functions[0].values[1].element = VERNAL_ELEMENT_F32; }));
  EXPECT_FALSE(differs([](Module& m) { m.fingerprint[0] ^= 1U; }));
  EXPECT_FALSE(differs([](Module& m) {
    std::swap(m.functions[0].nodes[4].attributes[0], m.functions[0].nodes[4].attributes[1]);
  }));
}

TEST_F(PrinterTest, EscapesNamesSoThatTheyCannotForgeLines) {
  Module made = module();
  made.weights[0].name = "a\"\nfunction \\ \xff";
  EXPECT_THAT(dump_module(made), ::testing::HasSubstr(R"($0 "a\"\x0afunction \\ \xff" f16)"));
}

}  // namespace
}  // namespace vernal::test
