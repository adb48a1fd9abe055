#include "golden_cases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vernal::test {
namespace {

std::vector<TokenId> ids_of(const boost::json::value& list) {
  std::vector<TokenId> ids;
  for (const boost::json::value& id : list.as_array()) {
    ids.push_back(boost::json::value_to<TokenId>(id));
  }
  return ids;
}

boost::json::value read_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  return boost::json::parse(std::string{std::istreambuf_iterator<char>(file), {}});
}

// The alphabet of byte-level vocabularies, as a map from the characters in UTF-8.
std::map<std::string, char> byte_alphabet() {
  std::map<std::string, char> alphabet;
  unsigned stand_in = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool prints = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    const unsigned character = prints ? byte : stand_in++;
    std::string text;
    if (character < 0x80) {
      text.push_back(static_cast<char>(character));
    } else {
      text.push_back(static_cast<char>(0xC0 + character / 64));
      text.push_back(static_cast<char>(0x80 + character % 64));
    }
    alphabet[text] = static_cast<char>(byte);
  }
  return alphabet;
}

std::string bytes_of_byte_level(std::string_view text) {
  static const std::map<std::string, char> alphabet = byte_alphabet();
  std::string bytes;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = static_cast<unsigned char>(text[i]) < 0x80 ? 1 : 2;
    bytes.push_back(alphabet.at(std::string(text.substr(i, length))));
    i += length;
  }
  return bytes;
}

std::string bytes_of_sentence_piece(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size();) {
    const bool is_space = text.substr(i, 3) == "\u2581";
    bytes.push_back(is_space ? ' ' : text[i]);
    i += is_space ? 3 : 1;
  }
  return bytes;
}

std::string expected_bytes(TokenizerModel model, const VocabularyToken& token) {
  switch (token.type) {
    case TokenType::kControl:
    case TokenType::kUnknown:
    case TokenType::kUserDefined:
      return std::string(token.text);
    case TokenType::kByte:
      return {static_cast<char>(std::stoi(std::string(token.text.substr(3, 2)), nullptr, 16))};
    default:
      return model == TokenizerModel::kBytePair ? bytes_of_byte_level(token.text)
                                                : bytes_of_sentence_piece(token.text);
  }
}

}  // namespace

std::vector<GoldenCase> read_golden_cases(const std::filesystem::path& path) {
  const boost::json::value document = read_json(path);
  std::vector<GoldenCase> cases;
  for (const boost::json::value& item : document.at("cases").as_array()) {
    const boost::json::object& object = item.as_object();
    GoldenCase golden;
    golden.text = boost::json::value_to<std::string>(object.at("text"));
    golden.plain = ids_of(object.at("plain"));
    golden.special = object.contains("special") ? ids_of(object.at("special")) : golden.plain;
    cases.push_back(std::move(golden));
  }
  if (cases.empty()) throw std::runtime_error(path.string() + " has no cases");
  return cases;
}

std::vector<GoldenCase> read_golden_prompts(const std::filesystem::path& path) {
  const boost::json::value document = read_json(path);
  std::vector<GoldenCase> cases;
  for (const boost::json::value& run : document.at("runs").as_array()) {
    const std::vector<TokenId> prompt = ids_of(run.at("prompt"));
    cases.push_back({boost::json::value_to<std::string>(run.at("text")), prompt, prompt});
  }
  if (cases.empty()) throw std::runtime_error(path.string() + " has no runs");
  return cases;
}

void expect_golden_cases(const Tokenizer& tokenizer, const std::vector<GoldenCase>& cases) {
  for (const GoldenCase& golden : cases) {
    SCOPED_TRACE("text: " + golden.text);
    const std::vector<TokenId> plain = tokenizer.encode(golden.text, {.parse_special = false});
    const std::vector<TokenId> special = tokenizer.encode(golden.text, {.parse_special = true});
    EXPECT_EQ(plain, golden.plain);
    EXPECT_EQ(special, golden.special);
    EXPECT_EQ(tokenizer.decode(plain), golden.text);
    EXPECT_EQ(tokenizer.decode(special), golden.text);
  }
}

void expect_bytes_of_vocabulary(const Tokenizer& tokenizer, const Vocabulary& vocabulary) {
  ASSERT_EQ(tokenizer.size(), vocabulary.tokens.size());
  int differing = 0;
  for (std::size_t i = 0; i < vocabulary.tokens.size() && differing < 10; ++i) {
    const auto id = static_cast<TokenId>(i);
    const std::string expected = expected_bytes(vocabulary.model, vocabulary.tokens[i]);
    EXPECT_EQ(tokenizer.token_bytes(id), expected) << "token " << id;
    if (tokenizer.token_bytes(id) != expected) ++differing;
  }
}

}  // namespace vernal::test
