// What the engine loop tells of a prompt: how far it is, its text, its log-probabilities.
#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "engine/answer/token_logprob.hpp"
#include "engine/engine_loop.hpp"
#include "vernal/error.hpp"

namespace vernal {

void EngineLoop::report_progress(const Choice& choice) {
  if (choice.index() != 0 || !choice.generated().empty()) {
    return;
  }
  Event event = choice.generation().progress_event();
  event.done = choice.num_computed();
  try {
    choice.generation().request().events().push(std::move(event));
  } catch (const std::bad_alloc&) {
    return;  // the next event tells how far it is
  }
}

// Where no log-probabilities are asked for, the whole prompt is one event.
void EngineLoop::report_prompt(Generation& generation) {
  if (!generation.document().echo || generation.document().prompt_logprobs) {
    return;
  }
  Event event;
  event.type = VERNAL_EVENT_PROMPT;
  event.tokens = generation.prompt();
  for (const TokenId token : generation.prompt()) event.text += generation.echo().push(token);
  event.text += generation.echo().flush();
  generation.request().events().push(std::move(event));
}

// The row of a token is about the token after it. The first one has no log-probability.
void EngineLoop::report_scores(Generation& generation, std::size_t first_row, std::size_t count) {
  const std::vector<TokenId>& prompt = generation.prompt();
  const std::size_t begin = generation.num_scored();
  Event event;
  event.type = VERNAL_EVENT_PROMPT;
  const auto add = [&](const SampledToken& token) {
    event.tokens.push_back(token.chosen.id);
    event.logprobs.push_back(describe(token, *model_.tokenizer));
    event.text += generation.echo().push(token.chosen.id);
  };
  if (begin == 0) {
    add({{prompt[0], std::numeric_limits<double>::quiet_NaN()}, {}});
  }
  for (std::size_t i = 0; i < count && begin + i + 1 < prompt.size(); ++i) {
    std::span<const float> logits = row(first_row + i);
    logits = logits.first(std::min(logits.size(), model_.tokenizer->size()));
    const LogitsRange range = find_range(logits);
    if (!range.is_distribution()) {
      throw Error(VERNAL_INTERNAL, "The model's scores are not finite numbers.");
    }
    add(probability_of(logits, range.max, prompt[begin + i + 1],
                       *generation.document().prompt_logprobs, scratch_.candidates));
  }
  generation.count_scored(count);
  if (!generation.scores_prompt()) event.text += generation.echo().flush();
  if (!event.tokens.empty()) generation.request().events().push(std::move(event));
}

}  // namespace vernal
