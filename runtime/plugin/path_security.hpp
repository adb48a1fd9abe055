// Checks who could have written a plugin file. Plugins run with all rights of the process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vernal::plugin {

/// Checks the owner and the rights of a file and of the folder that holds it.
///   path    canonical: absolute, with links resolved
///   strict  checks all folders up to the root, and refuses what a group may write
/// Returns   warnings, each one line with the path: a group may write it
/// Errors    UNSUPPORTED: everybody may write it (except a folder with the sticky bit), or its
/// owner is
///           neither root nor the effective user; the message says how to mend it
///           NOT_FOUND: no such file
/// Thread    any
std::vector<std::string> check_plugin_path(const std::filesystem::path& path, bool strict);

}  // namespace vernal::plugin
