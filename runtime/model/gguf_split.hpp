// Model files that were split into parts: their keys and their names.
//
// A part is a GGUF file, NAME-00001-of-00003.gguf, that has some of the model's tensors. The first
// part has the model's metadata. Every part has these keys:
//   split.no              number of the part, from 0
//   split.count           number of parts
//   split.tensors.count   number of tensors in all parts together
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vernal {

class GgufFile;

/// What the split.* keys of one part say.
struct GgufSplit {
  std::uint64_t number;       ///< of the part, from 0
  std::uint64_t count;        ///< number of parts, at least 2
  std::uint64_t num_tensors;  ///< in all parts together
};

/// The most parts of a model: their names have five digits.
inline constexpr std::uint64_t kMostGgufParts = 99'999;

/// The keys of a part; nothing for a file that is whole. A split.count of 0 or 1 means a whole
/// file:
/// some tools that join parts leave the key in place.
/// Errors   INVALID_ARGUMENT: one of the keys is missing, is no integer, or is impossible
std::optional<GgufSplit> read_gguf_split(const GgufFile& file);

/// How the name of a part ends: "-00002-of-00003.gguf" for number 1 of 3.
std::string gguf_part_suffix(std::uint64_t number, std::uint64_t count);

/// The path of part `number`, in the folder of the first part.
/// Errors   INVALID_ARGUMENT: the name of `first` does not end in the suffix of part 0
std::filesystem::path gguf_part_path(const std::filesystem::path& first, std::uint64_t number,
                                     std::uint64_t count);

/// Checks that `file`, which was opened at `path`, is part 0.
/// Errors   INVALID_ARGUMENT: it is another part, which the message names, or its name is not that
/// of
///          a first part
void check_first_gguf_part(const GgufFile& file, const std::filesystem::path& path,
                           const GgufSplit& split);

/// Checks that `part` is number `number` of the model that begins with `first`.
/// Errors   INVALID_ARGUMENT: its keys say something else, or it has another architecture or name
void check_gguf_part(const GgufFile& first, const GgufSplit& split, const GgufFile& part,
                     std::uint64_t number);

}  // namespace vernal
