#include "emulator/fiber.hpp"

#include <sys/mman.h>

#include <memory>
#include <new>
#include <utility>

#include <boost/context/stack_context.hpp>

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr std::size_t kGuardBytes = 4096;
constexpr std::size_t kSlotBytes = kGuardBytes + FiberPool::kStackBytes;

// Gives boost a stack that somebody else owns.
struct BorrowedStack {
  boost::context::stack_context stack;

  boost::context::stack_context allocate() { return stack; }
  void deallocate(boost::context::stack_context&) {}
};

// Who stopped last. Fibers run under the emulator's mutex, so one is enough.
Fiber* stopped = nullptr;

// Stacks lie one slot apart, so the lines in use of all of them would compete for the same few
// places of the processor's caches. Each begins a little lower than the one before.
std::size_t stagger(std::size_t index) { return index * 576 % 4096 / 64 * 64; }

}  // namespace

Fiber::Fiber(std::span<std::byte> stack, Work work) : sanitized_(stack.data(), stack.size()) {
  boost::context::stack_context borrowed;
  borrowed.sp = stack.data() + stack.size();
  borrowed.size = stack.size();
  rest_ = boost::context::fiber(std::allocator_arg, BorrowedStack{borrowed},
                                [this, work](boost::context::fiber&& previous) {
                                  arrive(std::move(previous));
                                  work(*this);
                                  return boost::context::fiber();
                                });
}

void Fiber::go(Fiber& from, Fiber& to) {
  stopped = &from;
  SanitizedStack::leave(from.sanitized_, to.sanitized_);
  from.arrive(std::move(to.rest_).resume());
}

void Fiber::arrive(boost::context::fiber&& previous) {
  SanitizedStack::arrive(sanitized_, stopped->sanitized_);
  stopped->rest_ = std::move(previous);
}

FiberPool::FiberPool(std::size_t most, Fiber::Work work) : most_(most), work_(work) {
  void* const at = mmap(nullptr, most * kSlotBytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    throw std::bad_alloc();
  }
  reservation_ = static_cast<std::byte*>(at);
}

Fiber& FiberPool::take() {
  if (!idle_.empty()) {
    Fiber& fiber = *idle_.back();
    idle_.pop_back();
    return fiber;
  }
  const std::size_t index = fibers_.size();
  std::byte* const stack = reservation_ + index * kSlotBytes + kGuardBytes;
  if (index == most_ || mprotect(stack, kStackBytes, PROT_READ | PROT_WRITE) != 0) {
    throw std::bad_alloc();
  }
  fibers_.push_back(std::make_unique<Fiber>(std::span(stack, kStackBytes - stagger(index)), work_));
  return *fibers_.back();
}

bool FiberPool::is_guard(const void* at) const {
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(at) - reservation_);
  return offset < most_ * kSlotBytes && offset % kSlotBytes < kGuardBytes;
}

}  // namespace vernal::cuda_sm86::emulator
