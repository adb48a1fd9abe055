// What a model is, as llama-server's native API tells it.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/engine_client.hpp"

namespace vernal::openai_http {

/// The body of GET /props. `description` is the text service's document about the model.
std::string render_props(const ModelInfo& model, std::string_view description);

/// The body of GET /slots.
std::string render_slots(const ModelInfo& model, const std::vector<SlotInfo>& slots,
                         std::string_view description);

/// The settings of a generation under the names of this API: what the model's description says,
/// and where it is silent what leaves the answer alone.
boost::json::object default_generation_settings(const boost::json::object& description);

}  // namespace vernal::openai_http
