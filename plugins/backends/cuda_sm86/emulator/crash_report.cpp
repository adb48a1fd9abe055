#include "emulator/crash_report.hpp"

#include <unistd.h>
#include <csignal>

#include <cstddef>
#include <string>
#include <vector>

#include "emulator/block.hpp"
#include "emulator/device.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

struct sigaction previous_of_segv;
struct sigaction previous_of_bus;

// Empty if the emulator has nothing to do with the address.
std::string text_of_crash(const void* at) {
  const BlockRunner& runner = block_runner();
  const Device& shared = device();
  if (runner.is_running() && runner.is_stack_guard(at)) {
    return runner.about_running("needs more stack than its " +
                                std::to_string(FiberPool::kStackBytes / 1024) + " KiB");
  }
  if (runner.is_running()) {
    return runner.about_running(
        "touches " + text_of_address(at) +
        (reachable.contains(at) ? ": " + shared.text_of(at) : ", which is no memory"));
  }
  if (reachable.contains(at)) {
    return "host code touches device memory: " + shared.text_of(at) +
           ". Only kernels and copies may, while they run";
  }
  return {};
}

// Strings are not for signal handlers, strictly. But the process ends here in any case, and a
// report that fails loses nothing.
void report_crash(int signal, siginfo_t* info, void*) {
  sigaction(signal, signal == SIGSEGV ? &previous_of_segv : &previous_of_bus, nullptr);
  const std::string text = text_of_crash(info->si_addr);
  if (!text.empty()) {
    const std::string line = "cuda emulator: " + text + "\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  }
  // The access happens again now, and the handler before this one gets it.
}

// A stack for signal handlers, given back when the thread ends.
class SignalStack {
 public:
  SignalStack() {
    stack_t present = {};
    sigaltstack(nullptr, &present);
    if ((present.ss_flags & SS_DISABLE) != 0) {
      memory_.resize(kBytes);
      present = {};
      present.ss_sp = memory_.data();
      present.ss_size = memory_.size();
      sigaltstack(&present, nullptr);
    }
  }
  ~SignalStack() {
    if (!memory_.empty()) {
      stack_t none = {};
      none.ss_flags = SS_DISABLE;
      sigaltstack(&none, nullptr);
    }
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr std::size_t kBytes = 64 * 1024;

  std::vector<std::byte> memory_;
};

}  // namespace

void install_crash_report() {
  struct sigaction action = {};
  action.sa_sigaction = report_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGSEGV, &action, &previous_of_segv);
  sigaction(SIGBUS, &action, &previous_of_bus);
}

void prepare_thread_for_crash_report() { thread_local const SignalStack kStack; }

}  // namespace vernal::cuda_sm86::emulator
