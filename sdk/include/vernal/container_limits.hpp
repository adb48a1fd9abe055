// What a container lets this process use: the limits of its control groups, versions 1 and 2.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// The least limit of the process' own control group and of all those above it that can be seen.
/// Nothing: no limit, or no control groups.
struct ContainerLimits {
  std::optional<std::uint64_t> memory_bytes;
  std::optional<double> cpus;  ///< quota over period: 1.5 is one and a half cores' time

  /// Threads that can compute all the time: the whole cores of the quota, at least one. A thread
  /// more would be stopped for a part of each period, and the others would wait for it.
  std::int64_t limit_threads(std::int64_t num_cores) const {
    if (!cpus) return num_cores;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(*cpus)), 1, num_cores);
  }
};

namespace detail {

/// A hierarchy of control groups, as /proc/self/mountinfo tells of it.
struct CgroupMount {
  std::string root;   ///< the group that is mounted
  std::string point;  ///< where
  std::string controllers;
  bool is_version_2 = false;
};

/// mountinfo writes blanks, tabs, line breaks and backslashes as \ooo.
inline std::string unescape_mount(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 3)).c_str(), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Whether `word` stands in "a,b,c".
inline bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

inline std::vector<CgroupMount> cgroup_mounts(const std::filesystem::path& root) {
  std::vector<CgroupMount> out;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t split = line.find(" - ");
    if (split == std::string::npos) continue;
    std::istringstream left(line.substr(0, split));
    std::istringstream right(line.substr(split + 3));
    std::string skipped;
    std::string type;
    CgroupMount mount;
    left >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    right >> type >> skipped >> mount.controllers;
    mount.is_version_2 = type == "cgroup2";
    if (type != "cgroup" && type != "cgroup2") continue;
    mount.root = unescape_mount(mount.root);
    mount.point = unescape_mount(mount.point);
    out.push_back(std::move(mount));
  }
  return out;
}

/// The process' group in the hierarchy with that controller ("": version 2), as
/// /proc/self/cgroup names it.
inline std::optional<std::string> cgroup_path(const std::filesystem::path& root,
                                              std::string_view controller) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_it = controller.empty() ? controllers.empty() : has_word(controllers, controller);
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The folders of the process' group and of those above it, innermost first.
inline std::vector<std::filesystem::path> cgroup_folders(const std::filesystem::path& root,
                                                         const CgroupMount& mount,
                                                         const std::string& group) {
  namespace fs = std::filesystem;
  const fs::path top = root / fs::path(mount.point).relative_path();
  fs::path below = fs::path(group).lexically_normal();
  // A container without a namespace of its own sees its group mounted as the top.
  if (mount.root != "/") below = below.lexically_relative(mount.root);
  below = below.relative_path();
  std::error_code error;
  const bool is_outside = below.empty() || below == "." || *below.begin() == "..";
  if (is_outside || !fs::is_directory(top / below, error)) return {top};
  std::vector<fs::path> out;
  for (; !below.empty(); below = below.parent_path()) out.push_back(top / below);
  out.push_back(top);
  return out;
}

/// Words of the first line.
inline std::vector<std::string> words_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> out;
  std::string line;
  if (!std::getline(file, line)) return out;
  std::istringstream words(line);
  for (std::string word; words >> word;) out.push_back(word);
  return out;
}

inline std::optional<double> number_of(const std::vector<std::string>& words, std::size_t index) {
  if (index >= words.size()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(words[index].c_str(), &end);  // "max" and "-1": no limit
  if (end == words[index].c_str() || *end != '\0' || value < 0) return std::nullopt;
  return value;
}

inline std::optional<double> memory_limit(const std::filesystem::path& folder, bool is_version_2) {
  const auto limit =
      number_of(words_of(folder / (is_version_2 ? "memory.max" : "memory.limit_in_bytes")), 0);
  // Version 1 writes the largest number there is for "no limit".
  return limit && *limit < 0x1p62 ? limit : std::nullopt;
}

inline std::optional<double> cpu_limit(const std::filesystem::path& folder, bool is_version_2) {
  const std::vector<std::string> both = words_of(folder / "cpu.max");
  const auto quota =
      is_version_2 ? number_of(both, 0) : number_of(words_of(folder / "cpu.cfs_quota_us"), 0);
  const auto period =
      is_version_2 ? number_of(both, 1) : number_of(words_of(folder / "cpu.cfs_period_us"), 0);
  return quota && *quota > 0 && period && *period > 0 ? std::optional(*quota / *period)
                                                      : std::nullopt;
}

/// The least that `limit(folder, is_version_2)` finds for a controller.
template <class Limit>
std::optional<double> least_limit(const std::filesystem::path& root, std::string_view controller,
                                  Limit&& limit) {
  std::optional<double> least;
  for (const CgroupMount& mount : cgroup_mounts(root)) {
    if (!mount.is_version_2 && !has_word(mount.controllers, controller)) continue;
    const auto group = cgroup_path(root, mount.is_version_2 ? "" : controller);
    if (!group) continue;
    for (const auto& folder : cgroup_folders(root, mount, *group)) {
      const std::optional<double> found = limit(folder, mount.is_version_2);
      if (found && (!least || *found < *least)) least = found;
    }
  }
  return least;
}

}  // namespace detail

/// Reads the limits as they are now. What cannot be read sets no limit. Any thread.
///   root   where /proc and the mounts are looked for; another one is for tests
inline ContainerLimits read_container_limits(const std::filesystem::path& root = "/") {
  ContainerLimits out;
  if (const auto bytes = detail::least_limit(root, "memory", detail::memory_limit)) {
    out.memory_bytes = static_cast<std::uint64_t>(*bytes);
  }
  out.cpus = detail::least_limit(root, "cpu", detail::cpu_limit);
  return out;
}

}  // namespace vernal
