// Model files that were split into parts: their keys and their names.
//
// A part is a GGUF file of its own, NAME-00001-of-00003.gguf, with some of the model's tensors. The
// first has the model's metadata; all have split.no (from 0), split.count and split.tensors.count
// (tensors of all parts together).
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
  std::uint64_t count;        ///< parts of the model, at least 2
  std::uint64_t num_tensors;  ///< in all parts
};

/// Names have five digits.
inline constexpr std::uint64_t kMostGgufParts = 99'999;

/// The keys of a part; nothing for a file that is whole. split.count = 0 or 1 is a whole file:
/// tools that join parts leave it so. Errors   INVALID_ARGUMENT: one of the keys is missing, no
/// integer, or impossible.
std::optional<GgufSplit> read_gguf_split(const GgufFile& file);

/// "-00002-of-00003.gguf" for number 1 of 3.
std::string gguf_part_suffix(std::uint64_t number, std::uint64_t count);

/// The path of part `number` beside the first one.
/// Errors   INVALID_ARGUMENT: the name of `first` does not end in the suffix of part 0.
std::filesystem::path gguf_part_path(const std::filesystem::path& first, std::uint64_t number,
                                     std::uint64_t count);

/// Checks that `file`, opened as part 0 at `path`, is that part.
/// Errors   INVALID_ARGUMENT: it is another one, which the message names, or its name is not that
/// of a first part.
void check_first_gguf_part(const GgufFile& file, const std::filesystem::path& path,
                           const GgufSplit& split);

/// Checks that `part` is number `number` of the model that begins with `first`.
/// Errors   INVALID_ARGUMENT: its keys say something else, or it is of another architecture or
/// name.
void check_gguf_part(const GgufFile& first, const GgufSplit& split, const GgufFile& part,
                     std::uint64_t number);

}  // namespace vernal
