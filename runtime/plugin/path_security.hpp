// Who could have written a plugin file: plugins run with all rights of the process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vernal::plugin {

/// Checks the file and the folder that holds it; with `strict`, all folders up to the root, and a
/// writable group is refused too.
///   path    canonical: absolute, links resolved
/// Returns   warnings, each one line with the path: writable by a group
/// Errors    UNSUPPORTED: writable by everybody (a folder with the sticky bit excepted), or owned
/// by neither
///           root nor the effective user; the message says how to mend it. NOT_FOUND: no such file.
/// Thread    any.
std::vector<std::string> check_plugin_path(const std::filesystem::path& path, bool strict);

}  // namespace vernal::plugin
