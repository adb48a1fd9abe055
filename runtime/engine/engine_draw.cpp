// From a row of logits to the next token of an answer.
#include <string>
#include <string_view>
#include <utility>

#include "engine/answer/token_logprob.hpp"
#include "engine/engine_loop.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// What client and model read where thinking in a loop was ended.
constexpr std::string_view kLoopNote = "\n\n(This thinking repeated itself and was ended here.)";

}  // namespace

void EngineLoop::draw(Choice& choice, std::span<const float> logits) {
  Generation& generation = choice.generation();
  if (generation.max_new_tokens() == 0) {
    finish(choice, VERNAL_FINISH_LENGTH);  // only the prompt was wanted
    return;
  }
  if (choice.generated().empty() && append_forced(choice)) return;
  bool has_to_draw = true;
  while (has_to_draw) {
    const auto token =
        choice.sampler().draw(logits, choice.num_known(), scratch_, limits_of(choice));
    if (!token) {
      end_without_token(choice, logits);
      return;
    }
    generation.count_token();
    observe_token(choice);
    choice.append(token->chosen.id);
    if (model_.tokenizer->is_end_of_generation(token->chosen.id)) {
      report_end(choice, *token);
      finish(choice, VERNAL_FINISH_STOP);
      return;
    }
    choice.grammar().accept(token->chosen.id, choice.answer().is_thinking());
    if (!choice.bans().is_on()) {
      deliver(choice, {&*token, 1});
      return;
    }
    has_to_draw = !pass_bans(choice, *token);
  }
}

void EngineLoop::observe_token(Choice& choice) {
  const SteadyClock::time_point now = SteadyClock::now();
  if (const auto before = choice.mark_token(now)) {
    metrics_.token_times.observe(std::chrono::duration<double>(now - *before).count());
  }
  ++metrics_.generated_tokens;
}

// Which tokens may come next. The one place where tokens are ruled out. A request has a grammar or
// banned texts, not both, so what the answer was read as is never behind what was drawn.
TokenLimits EngineLoop::limits_of(Choice& choice) const {
  const TokenRules& rules = choice.generation().document().rules;
  TokenLimits limits;
  limits.allowed = choice.grammar().mask(choice.answer().is_thinking());
  if (rules.ignores_end || choice.generated().size() < rules.min_tokens) {
    limits.forbidden = model_.tokenizer->end_of_generation();
  }
  if (choice.bans().is_on()) {
    limits.also_forbidden = choice.bans().forbidden();
    limits.num_retries = static_cast<std::uint32_t>(limits.also_forbidden.size());
  }
  return limits;
}

void EngineLoop::end_without_token(Choice& choice, std::span<const float> logits) {
  if (find_range(logits).is_distribution()) {
    // Every token is ruled out. An answer that fits its grammar is whole, whatever rule forbids its end.
    const bool is_whole = choice.grammar().can_end();
    finish(choice, is_whole ? VERNAL_FINISH_STOP : VERNAL_FINISH_CONTENT_FILTER);
  } else {
    fail(choice.generation(), Error(VERNAL_INTERNAL, "The model's scores are not finite numbers."));
  }
}

// False: the same row has to be drawn from again. True: the token stays, or the row is computed anew
// because the answer was taken back, or the choice has ended.
bool EngineLoop::pass_bans(Choice& choice, const SampledToken& token) {
  BannedTexts& bans = choice.bans();
  std::size_t count = bans.push(token);
  if (count == 0) {
    deliver(choice, bans.release());
    return true;
  }
  // The newest token is in no sequence yet. To take back more, the sequence is cut to before the last
  // token that stays, which is computed once more. A state that cannot be cut lets only the newest
  // token be replaced.
  if (count > 1 && !seating_.cut(choice, choice.num_known() - count - 1)) count = 1;
  bans.take_back(count);
  choice.sampler().forget(count);
  choice.take_back(count);
  choice.generation().take_back_tokens(count);
  if (bans.is_exhausted()) {
    finish(choice, VERNAL_FINISH_CONTENT_FILTER);
    return true;
  }
  return count > 1;
}

void EngineLoop::deliver(Choice& choice, std::span<const SampledToken> tokens) {
  ThinkingGuard::Verdict verdict = ThinkingGuard::Verdict::kGoOn;
  for (const SampledToken& token : tokens) {
    const ThinkingGuard::Verdict said = hand_out(choice, token);
    if (said != ThinkingGuard::Verdict::kGoOn) verdict = said;
    if (finish_if_complete(choice)) return;
  }
  if (verdict != ThinkingGuard::Verdict::kGoOn) {
    end_thinking(choice, verdict);
    if (finish_if_complete(choice)) return;
  }
  if (choice.generated().size() >= choice.generation().max_new_tokens()) {
    finish(choice, VERNAL_FINISH_LENGTH);
    return;
  }
  append_forced(choice);
}

// Appends the tokens that every answer goes on with that fits the grammar. They are not drawn: the next
// step computes them together, as a chunk. False: there are none.
bool EngineLoop::append_forced(Choice& choice) {
  Generation& generation = choice.generation();
  const std::vector<TokenId> tokens =
      choice.grammar().forced(choice.answer().is_thinking(), choice.generated(), *model_.tokenizer);
  for (const TokenId token : tokens) {
    generation.count_token();
    ++metrics_.generated_tokens;
    ++metrics_.forced_tokens;
    choice.append(token);
    choice.sampler().count(token);
    choice.grammar().accept(token, choice.answer().is_thinking());
    hand_out(choice, {{token, 0.0}, {}});
    if (finish_if_complete(choice)) return true;
    if (choice.generated().size() >= generation.max_new_tokens()) {
      finish(choice, VERNAL_FINISH_LENGTH);
      return true;
    }
  }
  return !tokens.empty();
}

bool EngineLoop::finish_if_complete(Choice& choice) {
  if (choice.output().found_stop()) {
    finish(choice, VERNAL_FINISH_STOP_STRING);
    return true;
  }
  if (choice.answer().is_complete()) {
    finish(choice, VERNAL_FINISH_STOP);
    return true;
  }
  return false;
}

ThinkingGuard::Verdict EngineLoop::hand_out(Choice& choice, const SampledToken& token) {
  const bool was_thinking = choice.answer().is_thinking();
  OutputPiece piece = choice.output().push(token);
  ThinkingGuard::Verdict verdict = ThinkingGuard::Verdict::kGoOn;
  if (was_thinking) verdict = choice.thinking_guard().push(token.chosen.id, piece.text);
  emit(choice, std::move(piece));
  const bool is_thinking = choice.answer().is_thinking();
  if (was_thinking || is_thinking) choice.generation().count_reasoning_token();
  return is_thinking ? verdict : ThinkingGuard::Verdict::kGoOn;
}

// Tokens that were held back because a banned text might have begun in them.
void EngineLoop::hand_out_held(Choice& choice) {
  for (const SampledToken& held : choice.bans().flush()) hand_out(choice, held);
}

// The tokens that follow are not drawn: the next step computes them together, as a chunk.
void EngineLoop::end_thinking(Choice& choice, ThinkingGuard::Verdict verdict) {
  Generation& generation = choice.generation();
  hand_out_held(choice);  // nothing is taken back across what follows
  const AnswerSyntax* const syntax = generation.answer_format().syntax;
  const bool is_loop = verdict == ThinkingGuard::Verdict::kLoop;
  const std::string text = std::string(is_loop ? kLoopNote : "") + text_behind_thinking(*syntax);
  const std::vector<TokenId> tokens = model_.tokenizer->encode(text, {.parse_special = true});
  const std::size_t num_left = generation.max_new_tokens() - choice.generated().size();
  if (tokens.size() >= num_left) return;  // the limit ends the answer anyway
  for (const TokenId token : tokens) {
    generation.count_token();
    ++metrics_.generated_tokens;
    choice.append(token);
    choice.sampler().count(token);
    hand_out(choice, {{token, 0.0}, {}});
  }
}

// Who measures a text by log-probabilities counts a position for each token, the last one too.
void EngineLoop::report_end(Choice& choice, const SampledToken& token) {
  const RequestDocument& document = choice.generation().document();
  if (!document.prompt_logprobs || !document.logprobs) return;
  hand_out_held(choice);
  emit(choice, choice.output().flush());
  OutputPiece end;
  end.tokens.push_back(token.chosen.id);
  end.logprobs.push_back(describe(token, *model_.tokenizer));
  emit(choice, std::move(end));
}

}  // namespace vernal
