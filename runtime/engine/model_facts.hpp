// What a model or profile is, as one JSON document for frontends.
#pragma once

#include <string>
#include <string_view>

#include "engine/model_engine.hpp"
#include "text/request/request_document.hpp"

namespace vernal {

/// The description of a model (sdk/spec/request.md). Any thread.
///   name      the model or profile that was asked for
///   defaults  of that name
std::string describe_model(std::string_view name, const ModelEngine& engine,
                           const RequestDefaults& defaults);

}  // namespace vernal
