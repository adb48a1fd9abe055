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

/// Whether a model is known by that name.
bool is_called(const ModelInfo& model, std::string_view name);

/// The list object, fit for clients of both APIs.
std::string render_model_list(const std::vector<ModelInfo>& models);

/// One model's object; nullopt if there is none of that id or alias.
std::optional<std::string> render_model(const std::vector<ModelInfo>& models, std::string_view id);

}  // namespace vernal::openai_http
