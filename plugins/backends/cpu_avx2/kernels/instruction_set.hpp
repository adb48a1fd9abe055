// The instruction sets that kernels are written for, and which of them this processor has.
//
// AVX2 is the least: the plugin is not opened without it. For the others the library holds more
// kernels, compiled with flags of their own. All give the same bits: sums of products are exact
// integers, and what is done in f32 is done in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vernal::cpu_avx2 {

/// In the order in which "auto" prefers them, the last one first.
enum class InstructionSet : std::uint8_t { kAvx2, kAvxVnni, kAvx512Vnni };

inline constexpr std::size_t kNumInstructionSets = 3;

struct InstructionSetInfo {
  InstructionSet id;
  std::string_view name;   ///< in the backend's table: "avx512_vnni"
  std::string_view title;  ///< for people: "AVX-512 with VNNI"
  std::string_view needs;  ///< what the processor must have
};

/// All, in the order of the enumeration.
std::span<const InstructionSetInfo, kNumInstructionSets> instruction_sets();

const InstructionSetInfo& info_of(InstructionSet set);

/// Whether this processor has it and the system saves its registers.
bool is_available(InstructionSet set);

/// The last one that is available.
InstructionSet best_instruction_set();

/// Processors whose prefetchers are known by measurement (docs/cpu-kernels.md, "From memory").
enum class ProcessorLine : std::uint8_t {
  kOther,
  kZen4,
  kIntel,  ///< Xeon with 2 MiB of second cache was measured
};

/// This one's. Answered from memory after the first call. Any thread.
ProcessorLine processor_line();

/// The set that a backend's key `isa` means: one of the names, or "auto" for the best.
/// Errors   INVALID_ARGUMENT: no such name;  UNSUPPORTED: this processor lacks it
InstructionSet choose_instruction_set(std::string_view name);

}  // namespace vernal::cpu_avx2
