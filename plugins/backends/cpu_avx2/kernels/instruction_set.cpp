#include "kernels/instruction_set.hpp"

#include <cpuid.h>

#include <array>
#include <initializer_list>
#include <string>

#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::array<InstructionSetInfo, kNumInstructionSets> kSets{{
    {InstructionSet::kAvx2, "avx2", "AVX2", "AVX2, FMA and F16C"},
    {InstructionSet::kAvxVnni, "avx_vnni", "AVX-VNNI", "AVX-VNNI"},
    {InstructionSet::kAvx512Vnni, "avx512_vnni", "AVX-512 with VNNI",
     "AVX-512 F, BW, DQ, VL, VNNI and VBMI"},
}};

/// Registers that cpuid answers in.
struct CpuidAnswer {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidAnswer cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuidAnswer answer;
  if (static_cast<std::uint32_t>(__get_cpuid_max(0, nullptr)) < leaf) return answer;
  __cpuid_count(leaf, subleaf, answer.eax, answer.ebx, answer.ecx, answer.edx);
  return answer;
}

bool has_bits(std::uint32_t value, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if ((value >> bit & 1U) == 0) return false;
  }
  return true;
}

/// Which registers the system saves; only to be asked where it uses xsave.
std::uint32_t saved_registers() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// Bits of cpuid's leaf 7 and of the extended control register: Intel, "Architectures Software
/// Developer's Manual", volume 2, CPUID, and volume 1, 14.5 and 15.4.
bool has_avx_vnni() {
  constexpr std::uint32_t kVnniLeaf = 1;
  return cpuid(7, 0).eax >= kVnniLeaf && has_bits(cpuid(7, kVnniLeaf).eax, {4});
}

bool has_avx512_vnni() {
  constexpr int kOsUsesXsave = 27;
  if (!has_bits(cpuid(1, 0).ecx, {kOsUsesXsave})) return false;
  const bool saves_zmm = has_bits(saved_registers(), {1, 2, 5, 6, 7});
  const CpuidAnswer features = cpuid(7, 0);
  const bool has_base = has_bits(features.ebx, {16, 17, 30, 31});   // F, DQ, BW, VL
  return saves_zmm && has_base && has_bits(features.ecx, {1, 11});  // VBMI, VNNI
}

/// The letters that cpuid spells the maker with.
bool is_made_by(const CpuidAnswer& maker, std::uint32_t first, std::uint32_t second,
                std::uint32_t third) {
  return maker.ebx == first && maker.edx == second && maker.ecx == third;
}

/// Zen 4, as AMD numbers its processors: family 25, models 16 to 31, 96 to 127 and 160 to 175.
bool is_zen_4_number() {
  const std::uint32_t signature = cpuid(1, 0).eax;
  const std::uint32_t family = (signature >> 8 & 15U) + (signature >> 20 & 255U);
  const std::uint32_t model = (signature >> 4 & 15U) | (signature >> 12 & 0xF0U);
  const std::uint32_t row = model / 16;
  return family == 25 && (row == 1 || row == 6 || row == 7 || row == 10);
}

ProcessorLine find_processor_line() {
  const CpuidAnswer maker = cpuid(0, 0);
  const bool is_amd = is_made_by(maker, 0x68747541, 0x69746E65, 0x444D4163);    // AuthenticAMD
  const bool is_intel = is_made_by(maker, 0x756E6547, 0x49656E69, 0x6C65746E);  // GenuineIntel
  if (is_intel) return ProcessorLine::kIntel;
  return is_amd && is_zen_4_number() ? ProcessorLine::kZen4 : ProcessorLine::kOther;
}

}  // namespace

std::span<const InstructionSetInfo, kNumInstructionSets> instruction_sets() { return kSets; }

const InstructionSetInfo& info_of(InstructionSet set) {
  return kSets.at(static_cast<std::size_t>(set));
}

bool is_available(InstructionSet set) {
  switch (set) {
    case InstructionSet::kAvx2:
      return true;
    case InstructionSet::kAvxVnni:
      return has_avx_vnni();
    case InstructionSet::kAvx512Vnni:
      return has_avx512_vnni();
  }
  return false;
}

InstructionSet best_instruction_set() {
  if (is_available(InstructionSet::kAvx512Vnni)) return InstructionSet::kAvx512Vnni;
  if (is_available(InstructionSet::kAvxVnni)) return InstructionSet::kAvxVnni;
  return InstructionSet::kAvx2;
}

ProcessorLine processor_line() {
  static const ProcessorLine kAnswer = find_processor_line();
  return kAnswer;
}

InstructionSet choose_instruction_set(std::string_view name) {
  if (name == "auto") return best_instruction_set();
  for (const InstructionSetInfo& set : kSets) {
    if (set.name != name) continue;
    if (is_available(set.id)) return set.id;
    throw Error(VERNAL_UNSUPPORTED, "isa = \"" + std::string(name) + "\" needs a processor with " +
                                        std::string(set.needs) +
                                        "; the best that this one has is \"" +
                                        std::string(info_of(best_instruction_set()).name) + "\"");
  }
  throw Error(
      VERNAL_INVALID_ARGUMENT,
      "isa: expected auto, avx2, avx_vnni or avx512_vnni, found \"" + std::string(name) + "\"");
}

}  // namespace vernal::cpu_avx2
