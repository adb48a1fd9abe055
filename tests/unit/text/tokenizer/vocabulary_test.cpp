// Vocabularies that are read from files, some of them hostile.
#include "text/tokenizer/vocabulary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "hand_made_vocabulary.hpp"
#include "model/gguf_file.hpp"
#include "support/gguf_writer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

using testing::HasSubstr;

// What a file says. Tests change one thing of it.
struct FileContent {
  std::string model = "llama";
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>", "▁a", "b"};
  std::vector<double> scores{0, 0, 0, -1, -2};
  GgufKind scores_kind = GgufKind::kFloat32;
  std::vector<std::int64_t> types{2, 3, 3, 1, 1};
  GgufKind types_kind = GgufKind::kInt32;
  std::vector<std::string> merges;
  std::function<void(GgufWriter&)> more = [](GgufWriter&) {};
};

std::vector<std::byte> write(const FileContent& content) {
  GgufWriter writer;
  writer.add_string("tokenizer.ggml.model", content.model);
  writer.add_strings("tokenizer.ggml.tokens", content.tokens);
  if (content.scores_kind == GgufKind::kFloat32 || content.scores_kind == GgufKind::kFloat64) {
    writer.add_floats("tokenizer.ggml.scores", content.scores_kind, content.scores);
  } else {
    writer.add_integers("tokenizer.ggml.scores", content.scores_kind,
                        {content.scores.begin(), content.scores.end()});
  }
  if (content.types_kind == GgufKind::kFloat32) {
    writer.add_floats("tokenizer.ggml.token_type", content.types_kind,
                      {content.types.begin(), content.types.end()});
  } else {
    writer.add_integers("tokenizer.ggml.token_type", content.types_kind, content.types);
  }
  if (!content.merges.empty()) writer.add_strings("tokenizer.ggml.merges", content.merges);
  content.more(writer);
  return writer.bytes();
}

// The message of the refusal; "" if the file was read.
std::string refusal(const FileContent& content) {
  const std::vector<std::byte> bytes = write(content);
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  try {
    const Tokenizer tokenizer(read_vocabulary(file));
    tokenizer.encode("a b <s> \xFF", {.parse_special = true, .add_special = true});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Vocabulary, ReadsTheNormalizerOfTheTokenizerItWasMadeFrom) {
  FileContent content;
  const auto composes = [&] {
    const std::vector<std::byte> bytes = write(content);
    const GgufFile file = GgufFile::parse(bytes, "test.gguf");
    return read_vocabulary(file).normalization.composes;
  };
  EXPECT_FALSE(composes());
  content.more = [](GgufWriter& writer) {
    writer.add_string("tokenizer.huggingface.json", R"({"normalizer": {"type": "NFC"}})");
  };
  EXPECT_TRUE(composes());
}

TEST(Vocabulary, ReadsWhatTheFileSays) {
  FileContent content;
  content.more = [](GgufWriter& writer) {
    writer.add_integer("tokenizer.ggml.bos_token_id", GgufKind::kUint32, 4);
    writer.add_integer("tokenizer.ggml.eot_token_id", GgufKind::kUint32, 3);
    writer.add_bool("tokenizer.ggml.add_bos_token", false);
    writer.add_bool("tokenizer.ggml.add_eos_token", true);
    writer.add_bool("tokenizer.ggml.add_space_prefix", false);
  };
  const std::vector<std::byte> bytes = write(content);
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  const Vocabulary vocabulary = read_vocabulary(file);
  EXPECT_EQ(vocabulary.model, TokenizerModel::kSentencePiece);
  ASSERT_EQ(vocabulary.tokens.size(), 5U);
  EXPECT_EQ(vocabulary.tokens[3].text, "▁a");
  EXPECT_EQ(vocabulary.tokens[3].score, -1.0F);
  EXPECT_EQ(vocabulary.tokens[0].type, TokenType::kUnknown);
  EXPECT_EQ(vocabulary.bos, 4);
  EXPECT_EQ(vocabulary.eos, 2) << "what such files mean when they say nothing";
  EXPECT_EQ(vocabulary.eot, 3);
  EXPECT_EQ(vocabulary.padding, kNoToken);
  EXPECT_FALSE(vocabulary.add_bos);
  EXPECT_TRUE(vocabulary.add_eos);
  EXPECT_FALSE(vocabulary.add_space_prefix);
}

TEST(Vocabulary, FillsInWhatLlamaFilesLeaveOut) {
  const std::vector<std::byte> bytes = write({});
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  const Vocabulary vocabulary = read_vocabulary(file);
  EXPECT_TRUE(vocabulary.add_bos);
  EXPECT_TRUE(vocabulary.add_space_prefix);
  EXPECT_EQ(vocabulary.bos, 1);
  EXPECT_EQ(vocabulary.unknown, 0);
}

TEST(Vocabulary, TakesTheLargestNumberForNone) {
  FileContent content;
  content.more = [](GgufWriter& writer) {
    writer.add_integer("tokenizer.ggml.bos_token_id", GgufKind::kUint32, 4294967295);
    writer.add_integer("tokenizer.ggml.eos_token_id", GgufKind::kInt32, -1);
  };
  const std::vector<std::byte> bytes = write(content);
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  const Vocabulary vocabulary = read_vocabulary(file);
  EXPECT_EQ(vocabulary.bos, kNoToken);
  EXPECT_EQ(vocabulary.eos, kNoToken);
  const Tokenizer tokenizer(vocabulary);
  EXPECT_THAT(tokenizer.warnings(), testing::ElementsAre(HasSubstr("bos")));
}

// Every key of the tokenizer with every type that it must not have.
TEST(Vocabulary, NamesValuesOfAWrongType) {
  for (const GgufKind kind :
       {GgufKind::kInt32, GgufKind::kInt8, GgufKind::kUint32, GgufKind::kFloat64}) {
    FileContent content;
    content.scores_kind = kind;
    EXPECT_THAT(refusal(content),
                HasSubstr("tokenizer.ggml.scores is array of 5 " +
                          std::string(gguf_kind_name(kind)) + ", expected an array of 5 f32"));
  }
  for (const GgufKind kind :
       {GgufKind::kInt8, GgufKind::kUint8, GgufKind::kInt64, GgufKind::kFloat32}) {
    FileContent content;
    content.types_kind = kind;
    EXPECT_THAT(refusal(content),
                HasSubstr("tokenizer.ggml.token_type is array of 5 " +
                          std::string(gguf_kind_name(kind)) + ", expected an array of 5 i32"));
  }
  for (const char* key : {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                          "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id",
                          "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.seperator_token_id",
                          "tokenizer.ggml.padding_token_id", "tokenizer.ggml.fim_pad_token_id",
                          "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id"}) {
    FileContent wide;
    wide.more = [=](GgufWriter& w) { w.add_integer(key, GgufKind::kInt64, 1); };
    EXPECT_THAT(refusal(wide), HasSubstr(std::string(key) + ": expected a u32, found i64 1"));
    FileContent fraction;
    fraction.more = [=](GgufWriter& w) { w.add_float(key, GgufKind::kFloat32, 1); };
    EXPECT_THAT(refusal(fraction), HasSubstr(std::string(key) + ": expected a u32, found f32 1"));
  }
  for (const char* key : {"tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token",
                          "tokenizer.ggml.add_space_prefix"}) {
    FileContent content;
    content.more = [=](GgufWriter& w) { w.add_string(key, "true"); };
    EXPECT_THAT(refusal(content), HasSubstr(std::string("\"") + key + "\": expected a bool"));
  }
  FileContent split;
  split.more = [](GgufWriter& w) { w.add_integer("tokenizer.ggml.pre", GgufKind::kUint32, 1); };
  EXPECT_THAT(refusal(split), HasSubstr("\"tokenizer.ggml.pre\": expected a string"));
}

struct HostileFile {
  std::string name;
  std::function<void(FileContent&)> damage;
  std::string message;  // part of the refusal; empty: the file is read and works
};

std::ostream& operator<<(std::ostream& out, const HostileFile& file) { return out << file.name; }

void add_integer(FileContent& content, const char* key, GgufKind kind, std::int64_t value) {
  content.more = [=](GgufWriter& writer) { writer.add_integer(key, kind, value); };
}

class HostileVocabulary : public testing::TestWithParam<HostileFile> {};

TEST_P(HostileVocabulary, IsRefusedWithAReasonOrWorks) {
  FileContent content;
  GetParam().damage(content);
  if (GetParam().message.empty()) {
    EXPECT_EQ(refusal(content), "");
  } else {
    EXPECT_THAT(refusal(content), HasSubstr(GetParam().message));
  }
}

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

INSTANTIATE_TEST_SUITE_P(
    Files, HostileVocabulary,
    testing::Values(
        HostileFile{"Intact", [](FileContent&) {}, ""},
        HostileFile{"UnknownModel", [](FileContent& c) { c.model = "bert\x1B[2J"; }, "bert\\x1b"},
        HostileFile{"NoTokens", [](FileContent& c) { c.tokens.clear(); }, "no tokens"},
        HostileFile{"NoTokensOrAnything",
                    [](FileContent& c) {
                      c.tokens.clear();
                      c.scores.clear();
                      c.types.clear();
                    },
                    "no tokens"},
        HostileFile{"ShortScores", [](FileContent& c) { c.scores.pop_back(); }, "scores"},
        HostileFile{"ShortTypes", [](FileContent& c) { c.types.pop_back(); }, "token_type"},
        HostileFile{"LongScores", [](FileContent& c) { c.scores.push_back(1); }, ""},
        HostileFile{"ScoreThatIsNoNumber", [](FileContent& c) { c.scores[3] = kNotANumber; },
                    "score of token 3"},
        HostileFile{"InfiniteScores",
                    [](FileContent& c) {
                      c.scores[3] = kInfinity;
                      c.scores[4] = -kInfinity;
                    },
                    ""},
        HostileFile{"TypeBeyondTheLast", [](FileContent& c) { c.types[4] = 7; }, "type of token 4"},
        HostileFile{"NegativeType", [](FileContent& c) { c.types[4] = -1; }, "type of token 4"},
        HostileFile{"UndefinedType", [](FileContent& c) { c.types[4] = 0; }, ""},
        HostileFile{"NegativeByte",
                    [](FileContent& c) {
                      c.types[4] = 6;
                      c.tokens[4] = "<0x-1>";
                    },
                    "token 4 is of type byte"},
        HostileFile{"ByteOfThreeDigits",
                    [](FileContent& c) {
                      c.types[4] = 6;
                      c.tokens[4] = "<0x100>";
                    },
                    "token 4 is of type byte"},
        HostileFile{"EmptyByte",
                    [](FileContent& c) {
                      c.types[4] = 6;
                      c.tokens[4] = "";
                    },
                    "token 4 is of type byte"},
        HostileFile{"SameByteTwice",
                    [](FileContent& c) {
                      c.types[3] = c.types[4] = 6;
                      c.tokens[3] = c.tokens[4] = "<0xFF>";
                    },
                    ""},
        HostileFile{"SameTokenTwice", [](FileContent& c) { c.tokens[4] = c.tokens[3]; }, ""},
        HostileFile{"EmptyTokens",
                    [](FileContent& c) { c.tokens[1] = c.tokens[3] = c.tokens[4] = ""; }, ""},
        HostileFile{"HugeToken", [](FileContent& c) { c.tokens[4] = std::string(100'000, 'x'); },
                    "token 4 has 100000 bytes"},
        HostileFile{"TokensThatAreNoUtf8",
                    [](FileContent& c) {
                      c.tokens[3] = "\xFF\xE2\x96";
                      c.tokens[1] = "\xE2\x96";
                    },
                    ""},
        HostileFile{"BosAtTheEnd",
                    [](FileContent& c) {
                      add_integer(c, "tokenizer.ggml.bos_token_id", GgufKind::kUint32, 5);
                    },
                    "bos_token_id is 5"},
        HostileFile{"EosFarBeyondTheEnd",
                    [](FileContent& c) {
                      add_integer(c, "tokenizer.ggml.eos_token_id", GgufKind::kInt64,
                                  std::int64_t{1} << 40);
                    },
                    "eos_token_id"},
        HostileFile{"NegativeUnknown",
                    [](FileContent& c) {
                      add_integer(c, "tokenizer.ggml.unknown_token_id", GgufKind::kInt32, -2);
                    },
                    "unknown_token_id is -2"},
        HostileFile{"BosOfAnotherKind",
                    [](FileContent& c) {
                      c.more = [](GgufWriter& w) {
                        w.add_string("tokenizer.ggml.bos_token_id", "one");
                      };
                    },
                    "bos_token_id"},
        HostileFile{"FlagOfAnotherKind",
                    [](FileContent& c) {
                      add_integer(c, "tokenizer.ggml.add_bos_token", GgufKind::kUint32, 1);
                    },
                    "add_bos_token"},
        HostileFile{"OneToken",
                    [](FileContent& c) {
                      c.tokens.resize(1);
                      c.scores.resize(1);
                      c.types.resize(1);
                    },
                    ""},
        HostileFile{"BytePairWithoutMerges", [](FileContent& c) { c.model = "gpt2"; }, "merges"},
        HostileFile{"MergeWithoutSpace",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {"a b", "ab"};
                    },
                    "merge 1"},
        HostileFile{"MergeWithoutRightPart",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {"a "};
                    },
                    "merge 0"},
        HostileFile{"EmptyMerge",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {""};
                    },
                    "merge 0"},
        HostileFile{"MergesOfUnknownTokens",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {"x y", "xy z", "b b", "b bb", "bb b"};
                    },
                    ""},
        HostileFile{"MergesOfCharactersThatStandForNoByte",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {"中 文", "\xFF \xFE", "▁ a", "a a b"};
                    },
                    ""},
        HostileFile{"SameMergeTwice",
                    [](FileContent& c) {
                      c.model = "gpt2";
                      c.merges = {"b b", "b b"};
                    },
                    ""}),
    [](const auto& info) { return info.param.name; });

TEST(Vocabulary, RefusesIdsOutsideWhereverItComesFrom) {
  HelloVocabulary vocabulary;
  vocabulary.get().padding = 1000;
  EXPECT_THROW(Tokenizer(vocabulary.get()), Error);
  vocabulary.get().padding = -5;
  EXPECT_THROW(Tokenizer(vocabulary.get()), Error);
}

TEST(Vocabulary, RefusesSentencePieceWithoutScores) {
  GgufWriter writer;
  writer.add_string("tokenizer.ggml.model", "llama").add_strings("tokenizer.ggml.tokens", {"a"});
  const std::vector<std::byte> bytes = writer.bytes();
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  EXPECT_THROW(read_vocabulary(file), Error);
}

TEST(Vocabulary, RefusesAFileWithoutATokenizer) {
  const std::vector<std::byte> bytes = GgufWriter().bytes();
  const GgufFile file = GgufFile::parse(bytes, "test.gguf");
  EXPECT_THROW(read_vocabulary(file), Error);
}

TEST(Vocabulary, ReadsByteTokens) {
  EXPECT_EQ(byte_of_token_text("<0x00>"), 0);
  EXPECT_EQ(byte_of_token_text("<0xfF>"), 255);
  for (const char* text :
       {"", "<0x0>", "<0x0G>", "<0x-1>", "<0x 1>", "0x01", "<0x001>", "<0X01>", "[0x01>"}) {
    EXPECT_EQ(byte_of_token_text(text), -1) << text;
  }
}

}  // namespace
}  // namespace vernal::test
