#include "plugin/path_security.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

void check_one(const std::filesystem::path& path, bool strict, std::vector<std::string>& warnings) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("{}: no such file", path.string()));
  }
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    throw Error(
        VERNAL_UNSUPPORTED,
        fmt::format("{}: owner expected root or user {}, found user {}; chown it, or install the "
                    "plugin elsewhere",
                    path.string(), ::geteuid(), status.st_uid));
  }
  const bool is_sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if ((status.st_mode & S_IWOTH) != 0 && !is_sticky_folder) {
    throw Error(
        VERNAL_UNSUPPORTED,
        fmt::format("{}: everybody may write it, so anybody could run code in this process; "
                    "chmod o-w {}",
                    path.string(), path.string()));
  }
  if ((status.st_mode & S_IWGRP) == 0 || is_sticky_folder) return;
  if (strict) {
    throw Error(
        VERNAL_UNSUPPORTED,
        fmt::format("{}: group {} may write it and require_secure_paths is set; chmod g-w {}",
                    path.string(), status.st_gid, path.string()));
  }
  warnings.push_back(fmt::format("{}: group {} may write it", path.string(), status.st_gid));
}

}  // namespace

std::vector<std::string> check_plugin_path(const std::filesystem::path& path, bool strict) {
  std::vector<std::string> warnings;
  check_one(path, strict, warnings);
  std::filesystem::path folder = path.parent_path();
  check_one(folder, strict, warnings);
  while (strict && folder != folder.parent_path()) {
    folder = folder.parent_path();
    check_one(folder, strict, warnings);
  }
  return warnings;
}

}  // namespace vernal::plugin
