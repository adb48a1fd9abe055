// What a plugin may leave changed in its process: threads, descriptors, memory, settings of the
// process.
#pragma once

#include <cstdint>
#include <string>

namespace vernal::check {

/// Threads of this process now.
std::uint64_t count_threads();
/// Open descriptors of this process now.
std::uint64_t count_descriptors();
/// Resident memory of this process now.
std::uint64_t resident_bytes();

/// Waits, at most a second, until there are no more than `expected` threads: one that was joined
/// may still be listed for a moment. Returns how many there are.
std::uint64_t settled_threads(std::uint64_t expected);

/// What belongs to the process and not to a plugin, as text to compare: signal handlers, locale,
/// working directory, umask, environment, rounding and denormal modes of the calling thread.
std::string process_settings();

/// Takes what the process writes to standard output and standard error while this object lives.
class CapturedOutput {
 public:
  CapturedOutput();
  ~CapturedOutput();
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  /// The first bytes of it, what still lies in buffers included.
  std::string text() const;

 private:
  int file_;
  int output_;  // copies of the descriptors that were there before
  int error_;
};

}  // namespace vernal::check
