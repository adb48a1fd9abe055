// Bodies of GET /v1/models and GET /v1/models/{id}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::openai_http {

/// Those of `models` whose id is in `allowed`, in their own order; all if `allowed` is empty.
std::vector<ModelInfo> visible_models(std::vector<ModelInfo> models,
                                      const std::vector<std::string>& allowed);

/// The model that a client means by a name: its id or an alias, or the pattern that fits best
/// (vernal/frontend/model_names.hpp). Null: there is none.
const ModelInfo* find_model(const std::vector<ModelInfo>& models, std::string_view name);

/// The models that have a name of their own, not a pattern. Only they are listed.
std::vector<ModelInfo> without_patterns(std::vector<ModelInfo> models);

/// The list object, fit for clients of both APIs.
///   models   of without_patterns
std::string render_model_list(const std::vector<ModelInfo>& models);

/// One model's object; nullopt if no model is meant by that name. What a pattern stands for is called
/// as the client calls it.
std::optional<std::string> render_model(const std::vector<ModelInfo>& models, std::string_view id);

}  // namespace vernal::openai_http
