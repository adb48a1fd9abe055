// `vernal make-model`: the files it writes, and its messages for mistakes in a shape.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "command/commands.hpp"
#include "command/make_model/shape.hpp"
#include "command/make_model/tokenizer.hpp"
#include "command/make_model/weights.hpp"
#include "model/gguf_file.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSource = VERNAL_GOLDEN_DIR "/models/tiny-llama.gguf";

const std::string kHybrid = std::string(R"(schema = 1
architecture = "qwen35"
[tokenizer]
from = ")") + kSource + R"("
tokens = 600
[shape]
layers = 4
hidden_size = 256
feed_forward_size = 512
heads = 4
kv_heads = 2
head_size = 64
[shape.delta_net]
key_heads = 2
value_heads = 4
head_size = 64
prediction_layers = 1
[types]
default = "iq4_ks"
ssm_alpha = "q8_0"
output = "q6_K"
)";

class MakeModel : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) const {
    const auto file = folder_ / "shape.toml";
    std::ofstream(file) << text;
    return file;
  }
  std::filesystem::path make(const std::string& text, const std::string& name,
                             std::uint64_t seed = 0) const {
    const auto output = folder_ / name;
    make_model(write(text), output, seed);
    return output;
  }
  std::string problems(const std::string& text) const {
    try {
      read_model_shape(write(text));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  testing::TemporaryFolder folder_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_F(MakeModel, WritesTheTypesAndSizesOfTheShape) {
  const GgufFile file = GgufFile::open(make(kHybrid, "m.gguf"));
  EXPECT_EQ(file.metadata().require_integer("qwen35.block_count"), 5);
  EXPECT_EQ(file.require_tensor("blk.0.attn_qkv.weight").type->name, "iq4_ks");
  EXPECT_EQ(file.require_tensor("blk.0.ssm_alpha.weight").type->name, "q8_0");
  EXPECT_EQ(file.require_tensor("output.weight").type->name, "q6_K");
  EXPECT_EQ(file.require_tensor("output.weight").rows(), 600U);
  EXPECT_EQ(file.require_tensor("blk.0.ssm_conv1d.weight").type->name, "f32");
  EXPECT_EQ(file.find_tensor("blk.3.ssm_a"), nullptr);
  EXPECT_EQ(file.require_tensor("blk.3.attn_q.weight").rows(), 512U);
  EXPECT_NE(file.find_tensor("blk.4.nextn.eh_proj.weight"), nullptr);
}

TEST_F(MakeModel, WritesTheSameFileFromTheSameSeedOnly) {
  const std::string first = bytes_of(make(kHybrid, "a.gguf"));
  EXPECT_EQ(bytes_of(make(kHybrid, "b.gguf")), first);
  EXPECT_NE(bytes_of(make(kHybrid, "c.gguf", 2)), first);
}

TEST_F(MakeModel, ScalesWeightsByTheirColumns) {
  const ModelShape shape = read_model_shape(write(kHybrid));
  int num_judged = 0;
  for (const TensorPlan& tensor : plan_tensors(shape, 600)) {
    if (tensor.filling != Filling::kNormal || tensor.columns() < 256) continue;
    ++num_judged;
    std::vector<float> row(tensor.columns());
    double square = 0;
    for (std::uint64_t r = 0; r < 8; ++r) {
      fill_row(tensor, 1, r, row.data());
      for (const float value : row) square += static_cast<double>(value * value) / 8;
    }
    const bool is_added =
        tensor.stem == "attn_output" || tensor.stem == "ssm_out" || tensor.stem == "ffn_down";
    const double expected = tensor.stem == "token_embd" ? static_cast<double>(row.size())
                            : is_added                  ? 1 / 8.0  // twice the four layers
                                                        : 1;
    EXPECT_NEAR(square / expected, 1, 0.15) << tensor.name;
  }
  EXPECT_GT(num_judged, 20);
}

TEST_F(MakeModel, KeepsDecayAndTimeStepWhereTheyAreOfUse) {
  const GgufFile file = GgufFile::open(make(kHybrid, "m.gguf"));
  const auto values = [&](const char* name) {
    const GgufTensor& tensor = file.require_tensor(name);
    std::vector<float> row(tensor.columns());
    dequantize_row(*tensor.type, tensor.row(0), tensor.columns(), row.data());
    return row;
  };
  for (const float a : values("blk.0.ssm_a")) EXPECT_TRUE(a <= -1 && a >= -16) << a;
  for (const float b : values("blk.0.ssm_dt.bias")) {
    const double step = std::log1p(std::exp(static_cast<double>(b)));
    EXPECT_TRUE(step > 0.0009 && step < 0.11) << step;
  }
}

TEST_F(MakeModel, CutsATokenizerThatStillFitsTogether) {
  const GgufFile source = GgufFile::open(kSource);
  const GgufFile file = GgufFile::open(make(kHybrid, "m.gguf"));
  const auto tokens = file.metadata().require_string_array("tokenizer.ggml.tokens");
  const auto all = source.metadata().require_string_array("tokenizer.ggml.tokens");
  ASSERT_EQ(tokens.size(), 600U);
  for (const char* key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"}) {
    const auto id = static_cast<std::size_t>(file.metadata().require_integer(key));
    const auto old_id = static_cast<std::size_t>(source.metadata().require_integer(key));
    EXPECT_EQ(tokens.at(id), all.at(old_id)) << key;
  }
  const auto merges = file.metadata().require_string_array("tokenizer.ggml.merges");
  EXPECT_FALSE(merges.empty());
  EXPECT_LT(merges.size(), source.metadata().require_string_array("tokenizer.ggml.merges").size());
}

TEST_F(MakeModel, FillsALargerVocabularyWithUnusedTokens) {
  const CutTokenizer cut = cut_tokenizer(GgufFile::open(kSource), 1000);
  EXPECT_EQ(cut.num_tokens, 1000U);
  for (const auto& [key, value] : cut.entries) {
    if (key == "tokenizer.ggml.tokens" || key == "tokenizer.ggml.token_type") {
      EXPECT_EQ(value.num_elements, 1000U) << key;
    }
  }
  EXPECT_THROW(cut_tokenizer(GgufFile::open(kSource), 5), Error);
}

TEST_F(MakeModel, SaysWhereAShapeIsWrong) {
  EXPECT_EQ(problems(kHybrid), "");
  EXPECT_THAT(problems(replaced(kHybrid, "\nheads = 4", "\nhaeds = 4")),
              HasSubstr("shape.toml:10:1: unknown key \"shape.haeds\"; did you mean \"heads\"?"));
  EXPECT_THAT(problems(replaced(kHybrid, "qwen35", "qwen36")),
              HasSubstr("shape.toml:2:16: \"architecture\": expected one of"));
  EXPECT_THAT(problems(replaced(kHybrid, "kv_heads = 2", "kv_heads = 3")),
              HasSubstr("\"shape.kv_heads\": expected a divisor of 4, found 3"));
  EXPECT_THAT(problems(replaced(kHybrid, "\"q6_K\"", "\"iq2_xs\"")),
              HasSubstr("shape.toml:21:10: \"types.output\": expected one of f32, f16"));
  EXPECT_THAT(problems(replaced(kHybrid, "output = ", "attn_gat = ")),
              HasSubstr("did you mean \"attn_gate\"?"));
  EXPECT_THAT(problems(replaced(kHybrid, "schema = 1", "schema = ")), HasSubstr("shape.toml:1:"));
  EXPECT_THAT(problems("schema = 1\narchitecture = \"llama\"\n"),
              HasSubstr("the file needs a table [shape]"));
}

TEST_F(MakeModel, ReadsTheShapesThatShip) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VERNAL_SHAPES_DIR)) {
    EXPECT_NO_THROW(read_model_shape(entry.path())) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

TEST_F(MakeModel, RefusesATypeWhoseBlocksARowDoesNotFill) {
  EXPECT_THAT(problems(replaced(kHybrid, "hidden_size = 256", "hidden_size = 96")),
              HasSubstr("iq4_ks needs rows of a multiple of 256 weights, found 96; give "
                        "\"token_embd\" another type"));
}

TEST_F(MakeModel, RefusesKeysThatTheArchitectureHasNot) {
  const std::string text = problems(replaced(kHybrid, "qwen35", "qwen3"));
  EXPECT_THAT(text, HasSubstr("unknown key \"shape.delta_net\""));
}

}  // namespace
}  // namespace vernal
