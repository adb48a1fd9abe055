// What a crash means, when it comes from how the emulator guards memory.
//
// Device memory has no access rights while no operation runs, freed and unallocated memory never
// has any, and neither has the page below the stack of a kernel's thread. So a wrong access ends
// the process. A handler of SIGSEGV and SIGBUS says on stderr which pointer it was and who used
// it, and then leaves the rest to the handler that was there before, such as AddressSanitizer's.
#pragma once

namespace vernal::cuda_sm86::emulator {

void install_crash_report();

/// Gives the calling thread a stack on which the report of an overflow can run. Once is enough.
void prepare_thread_for_crash_report();

}  // namespace vernal::cuda_sm86::emulator
