// [models.NAME] and [profiles.NAME].
#pragma once

#include <string>

#include "config/deployment.hpp"
#include "config/table_reader.hpp"

namespace vernal {

/// Reads a model's table; problems go to the reader's list.
ModelSettings read_model(TableReader& reader, const std::string& name);

/// Reads a profile's table.
ProfileSettings read_profile(TableReader& reader, const std::string& name);

}  // namespace vernal
