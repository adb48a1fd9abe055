#include "model/gguf_split.hpp"

#include <fmt/format.h>

#include <array>

#include "model/gguf_file.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::string_view kNumberKey = "split.no";
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";

[[noreturn]] void refuse(const GgufFile& file, std::string_view finding) {
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("{}: {}", printable(file.file_name(), 1024), finding));
}

std::uint64_t require_number(const GgufFile& file, std::string_view key, std::int64_t most) {
  const std::optional<std::int64_t> found = file.metadata().find_integer(key);
  if (!found) {
    refuse(file, fmt::format("a part of a split model: metadata key \"{}\" is missing", key));
  }
  if (*found < 0 || *found > most) {
    refuse(file, fmt::format("metadata key \"{}\": expected 0 to {}, found {}", key, most, *found));
  }
  return static_cast<std::uint64_t>(*found);
}

}  // namespace

std::optional<GgufSplit> read_gguf_split(const GgufFile& file) {
  if (!file.metadata().contains(kCountKey)) return std::nullopt;
  GgufSplit split{};
  split.count = require_number(file, kCountKey, kMostGgufParts);
  if (split.count < 2) return std::nullopt;
  split.number = require_number(file, kNumberKey, static_cast<std::int64_t>(split.count) - 1);
  split.num_tensors = require_number(file, kTensorsKey, GgufFile::kMaxTensors);
  return split;
}

std::string gguf_part_suffix(std::uint64_t number, std::uint64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", number + 1, count);
}

std::filesystem::path gguf_part_path(const std::filesystem::path& first, std::uint64_t number,
                                     std::uint64_t count) {
  std::string name = first.filename().string();
  const std::string suffix = gguf_part_suffix(0, count);
  if (!name.ends_with(suffix)) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: the first of {} parts, which are found by name: expected a name "
                            "that ends in {}",
                            printable(first.string(), 1024), count, suffix));
  }
  name.replace(name.size() - suffix.size(), suffix.size(), gguf_part_suffix(number, count));
  return std::filesystem::path(first).replace_filename(name);
}

void check_first_gguf_part(const GgufFile& file, const std::filesystem::path& path,
                           const GgufSplit& split) {
  if (split.number != 0) {
    refuse(file, fmt::format("part {} of {} of a split model; open the first part, whose name ends "
                             "in {}",
                             split.number + 1, split.count, gguf_part_suffix(0, split.count)));
  }
  gguf_part_path(path, 0, split.count);
}

void check_gguf_part(const GgufFile& first, const GgufSplit& split, const GgufFile& part,
                     std::uint64_t number) {
  const std::optional<GgufSplit> found = read_gguf_split(part);
  if (!found) {
    refuse(part, fmt::format("expected part {} of {} of a split model, found a whole file",
                             number + 1, split.count));
  }
  const auto agree = [&](std::string_view key, std::uint64_t there, std::uint64_t expected) {
    if (there == expected) return;
    refuse(part, fmt::format("metadata key \"{}\": expected {} as part {} of the model that begins "
                             "with {}, found {}",
                             key, expected, number + 1, printable(first.file_name(), 1024), there));
  };
  agree(kCountKey, found->count, split.count);
  agree(kNumberKey, found->number, number);
  agree(kTensorsKey, found->num_tensors, split.num_tensors);
  // Later parts may repeat these keys. If they do, the values must be the same.
  for (const std::string_view key : {"general.architecture", "general.name"}) {
    const auto here = part.metadata().find_string(key);
    const auto there = first.metadata().find_string(key);
    if (here && there && *here != *there) {
      refuse(part,
             fmt::format("a part of another model: {} is \"{}\", in {} it is \"{}\"", key,
                         printable(*here), printable(first.file_name(), 1024), printable(*there)));
    }
  }
}

}  // namespace vernal
