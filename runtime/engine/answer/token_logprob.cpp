#include "engine/answer/token_logprob.hpp"

#include <string>

namespace vernal {
namespace {

CandidateText with_text(const TokenProbability& candidate, const Tokenizer& tokenizer) {
  return {candidate.id, candidate.logprob, std::string(tokenizer.token_bytes(candidate.id))};
}

}  // namespace

TokenLogprob describe(const SampledToken& token, const Tokenizer& tokenizer) {
  TokenLogprob result{with_text(token.chosen, tokenizer), {}};
  for (const TokenProbability& alternative : token.alternatives) {
    result.alternatives.push_back(with_text(alternative, tokenizer));
  }
  return result;
}

}  // namespace vernal
