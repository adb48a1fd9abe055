// Canonical text of a module and its fingerprint.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vernal/module.hpp"

namespace vernal {

/// The module as text. The same module gives the same bytes on every machine. Weights come first,
/// then states, then each function with one node on each line:
///   %7 = linear(%6, $3) out="act" : act[T, 256]  # blk.0.attn_q
/// %i are values, $i weights, @i states. Attributes are in the order of their names. Numbers have
/// the shortest form that reads back exactly. The fingerprint is not part of the text. Any thread.
std::string dump_module(const Module& module);

/// SHA-256 of dump_module. Any thread.
/// Errors   VERNAL_INTERNAL: the hash library failed
std::array<std::uint8_t, 32> fingerprint_module(const Module& module);

/// The fingerprint as 64 hexadecimal digits.
std::string fingerprint_text(const std::array<std::uint8_t, 32>& fingerprint);

}  // namespace vernal
