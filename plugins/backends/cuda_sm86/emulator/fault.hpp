// Faults of kernels: what a report says, and who keeps it.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

#include "emulator/launch.hpp"
#include "emulator/warp.hpp"

namespace vernal::cuda_sm86::emulator {

/// A kernel did what no kernel may do. Ends its stream and, as on a device, all work after it.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `file.cu:12 in void function(...)`. The path of the file is left out.
std::string text_of(const Place& place);
/// The kernel's name, if the program exports it, and where it was launched.
std::string text_of(const Launch& launch);
inline bool is_same(const Place& a, const Place& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

}  // namespace vernal::cuda_sm86::emulator
