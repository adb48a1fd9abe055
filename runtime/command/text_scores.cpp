#include "command/text_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

#include "command/load_model.hpp"
#include "engine/sampling/logits_math.hpp"
#include "model/printable.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"
#include "vernal/frontend/byte_order_mark.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kLeastContext = 64;

std::unique_ptr<ResidentModel> plan_for_text(OpenDeployment& open, ModelSettings settings,
                                             std::uint64_t num_tokens) {
  settings.slots = 1;
  settings.rows = kScoredRows;
  settings.context_length = std::max(num_tokens, kLeastContext);
  settings.kv_tokens = 0;
  auto model = open.plan_again(settings);
  const ResidentModel* const loaded_alone[] = {model.get()};
  open.require_memory(loaded_alone);
  return model;
}

}  // namespace

TextModel::TextModel(OpenDeployment& open, ModelSettings settings, std::uint64_t num_tokens)
    : resident_(plan_for_text(open, std::move(settings), num_tokens)),
      loaded_(load_with_progress(open.log(), *resident_)),
      role_(VERNAL_ROLE_ENGINE) {
  loaded_.steps->open();
}

TextModel::~TextModel() { loaded_.steps.reset(); }

void TextModel::score(std::span<const TokenId> tokens, std::uint64_t first, std::uint64_t count,
                      const OnRow& on_row) {
  StepModel& steps = *loaded_.steps;
  const std::optional<SequenceId> sequence = steps.create_sequence();
  const std::uint64_t end = first + count;
  if (!sequence || !steps.reserve(*sequence, end)) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                fmt::format("the KV pool has no room for {} tokens of text", end));
  }
  for (std::uint64_t position = 0; position < end;) {
    const bool is_scored = position >= first;
    const std::uint64_t most = is_scored ? kScoredRows : loaded_.max_tokens_per_step;
    const std::uint64_t size = std::min(most, (is_scored ? end : first) - position);
    const StepChunk chunk{*sequence, position, tokens.subspan(position, size),
                          is_scored ? static_cast<std::uint32_t>(size) : 0U};
    steps.begin_step({&chunk, 1});
    while (!steps.wait_step(std::chrono::seconds(60))) {
    }
    for (std::uint64_t i = 0; is_scored && i < size; ++i) {
      on_row(position + i - first, steps.logits(i));
    }
    steps.end_step();
    position += size;
  }
  steps.release_sequence(*sequence);
}

std::vector<TokenId> read_text_tokens(const std::filesystem::path& file,
                                      const Tokenizer& tokenizer) {
  std::ifstream stream(file, std::ios::binary);  // which may be a pipe
  if (!stream) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("--text: expected a text file, found none at {}",
                                              printable(file.string())));
  }
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const std::string_view text = without_byte_order_mark(bytes);
  if (text.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("--text: {} is empty", printable(file.string())));
  }
  return tokenizer.encode(text, {.parse_special = false, .add_special = tokenizer.adds_bos()});
}

double log_sum_of(std::span<const float> logits) {
  const LogitsRange range = find_range(logits);
  if (!range.is_distribution()) {
    throw Error(VERNAL_INTERNAL,
                "the model gave a row of logits that is no distribution (NaN or infinite)");
  }
  return static_cast<double>(range.max) + std::log(sum_exp(logits, range.max, 1.0F));
}

std::uint64_t parse_token_count(std::string_view text) {
  std::string_view digits = text;
  std::uint64_t unit = 1;
  if (digits.ends_with('K') || digits.ends_with('k')) {
    digits.remove_suffix(1);
    unit = 1024;
  }
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 24U;
  if (error != std::errc() || end != digits.data() + digits.size() || count > kMost / unit) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("\"{}\": expected a number of tokens up to 16384K, such as 512 or 2K",
                            printable(std::string(text))));
  }
  return count * unit;
}

}  // namespace vernal
