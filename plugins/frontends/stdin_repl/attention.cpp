#include "stdin_repl/attention.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "vernal/error.hpp"

namespace vernal::stdin_repl {

Attention::Attention() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "console: no file descriptor is left to wake it with");
  }
}

Attention::~Attention() { ::close(descriptor_); }

void Attention::notify() noexcept {
  const std::uint64_t one = 1;
  // Fails only if the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof(one));
}

void Attention::interrupt() noexcept {
  is_interrupted_ = true;
  notify();
}

void Attention::begin_drain() noexcept {
  is_draining_ = true;
  notify();
}

void Attention::stop() noexcept {
  is_draining_ = true;
  is_stopping_ = true;
  notify();
}

void Attention::clear() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(descriptor_, &count, sizeof(count));
}

void Attention::wait() noexcept {
  pollfd polled = {descriptor_, POLLIN, 0};
  ::poll(&polled, 1, -1);
  clear();
}

}  // namespace vernal::stdin_repl
