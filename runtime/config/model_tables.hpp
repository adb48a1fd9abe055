// [models.NAME] and [profiles.NAME].
#pragma once

#include <string>

#include "config/deployment.hpp"
#include "config/table_reader.hpp"

namespace vernal {

/// Reads the table of a model. Problems are added to the reader's list.
ModelSettings read_model(TableReader& reader, const std::string& name);

/// Reads the table of a profile, likewise.
ProfileSettings read_profile(TableReader& reader, const std::string& name);

}  // namespace vernal
