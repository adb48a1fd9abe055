#include "openai_http/openai/embedding_answer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "vernal/engine_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Divides by the Euclidean length; a vector of zeros stays one.
void normalize(std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  const double length = std::sqrt(sum);
  if (length <= 0) return;
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) / length);
}

/// What both answers gather: a vector for each input, and the tokens of all.
class EmbeddingAnswer : public Answer {
 public:
  EmbeddingAnswer(const GenerationRequest& request, AnswerIdentity identity)
      : identity_(std::move(identity)),
        wants_base64_(request.wants_base64),
        is_normalized_(request.is_normalized),
        vectors_(request.prompts.size()) {}

  void begin(std::string&) override {}
  void on_event(std::size_t prompt, const vernal_event& event, std::string&) override {
    if (prompt >= vectors_.size()) return;
    if (event.type == VERNAL_EVENT_FINISHED) num_tokens_ += event.prompt_tokens;
    if (event.type != VERNAL_EVENT_EMBEDDING) return;
    const std::span<const float> values = embedding_of(event);
    vectors_[prompt].assign(values.begin(), values.end());
    if (is_normalized_) normalize(vectors_[prompt]);
  }
  void keep_alive(std::string&) override {}
  void fail(const ApiError&, std::string&) override {}

 protected:
  const AnswerIdentity& identity() const noexcept { return identity_; }
  bool wants_base64() const noexcept { return wants_base64_; }
  const std::vector<std::vector<float>>& vectors() const noexcept { return vectors_; }
  std::uint64_t num_tokens() const noexcept { return num_tokens_; }

  static json::array numbers_of(const std::vector<float>& values) {
    json::array out;
    out.reserve(values.size());
    for (const float value : values) out.push_back(static_cast<double>(value));
    return out;
  }

 private:
  AnswerIdentity identity_;
  bool wants_base64_;
  bool is_normalized_;
  std::vector<std::vector<float>> vectors_;
  std::uint64_t num_tokens_ = 0;
};

class OpenAiEmbeddings final : public EmbeddingAnswer {
 public:
  using EmbeddingAnswer::EmbeddingAnswer;

  void end(std::string& out) override {
    json::array data;
    for (std::size_t i = 0; i < vectors().size(); ++i) {
      json::object entry{{"object", "embedding"}, {"index", i}};
      entry["embedding"] = wants_base64() ? json::value(base64_of(vectors()[i]))
                                          : json::value(numbers_of(vectors()[i]));
      data.push_back(std::move(entry));
    }
    json::object document{
        {"object", "list"},
        {"data", std::move(data)},
        {"model", identity().model},
        {"usage", json::object{{"prompt_tokens", num_tokens()}, {"total_tokens", num_tokens()}}}};
    add_warnings(document);
    out += to_text(document);
  }
};

class NativeEmbeddings final : public EmbeddingAnswer {
 public:
  using EmbeddingAnswer::EmbeddingAnswer;

  void end(std::string& out) override {
    json::array all;
    for (std::size_t i = 0; i < vectors().size(); ++i) {
      json::array rows;
      rows.push_back(numbers_of(vectors()[i]));
      all.push_back(json::object{{"index", i}, {"embedding", std::move(rows)}});
    }
    out += to_text(json::value(std::move(all)));
  }
};

}  // namespace

std::string base64_of(std::span<const float> values) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(shift)));
    }
  }
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = (group << 8U) | (k < count ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kBase64Digits[(group >> (18U - 6U * k)) & 63U] : '=';
    }
  }
  return out;
}

std::unique_ptr<Answer> make_embedding_answer(const GenerationRequest& request,
                                              AnswerIdentity identity) {
  return std::make_unique<OpenAiEmbeddings>(request, std::move(identity));
}

std::unique_ptr<Answer> make_native_embedding_answer(const GenerationRequest& request,
                                                     AnswerIdentity identity) {
  return std::make_unique<NativeEmbeddings>(request, std::move(identity));
}

}  // namespace vernal::openai_http
