// Answers of POST /v1/embeddings and of llama-server's POST /embedding.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "openai_http/protocol/answer.hpp"
#include "openai_http/protocol/generation_request.hpp"

namespace vernal::openai_http {

/// {"object": "list", "data": [{"object": "embedding", "index", "embedding"}], "model", "usage"}.
/// Vectors have the length one.
std::unique_ptr<Answer> make_embedding_answer(const GenerationRequest& request,
                                              AnswerIdentity identity);

/// [{"index", "embedding": [[...]]}].
std::unique_ptr<Answer> make_native_embedding_answer(const GenerationRequest& request,
                                                     AnswerIdentity identity);

/// The floats in little-endian order, in base64 with padding.
std::string base64_of(std::span<const float> values);

}  // namespace vernal::openai_http
