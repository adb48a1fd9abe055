#include "emulator/block.hpp"

#include <algorithm>
#include <bit>
#include <exception>
#include <utility>

#include "emulator/counters.hpp"
#include "emulator/position.hpp"
#include "emulator/traffic/traffic.hpp"

namespace vernal::cuda_sm86::emulator {

Position position;
Counters counters_in_kernel;

BlockRunner& block_runner() {
  static auto& runner = *new BlockRunner();  // lives on, because its fibers hold stacks
  return runner;
}

BlockRunner::BlockRunner() : fibers_(kMostThreads, &BlockRunner::work) {
  threads_.resize(kMostThreads);
  for (unsigned number = 0; number < kMostThreads; ++number) {
    threads_[number].number = number;
  }
}

void BlockRunner::run(const Launch& launch, const Schedule& schedule) {
  const dim3 size = launch.block;
  num_threads_ = size.x * size.y * size.z;
  num_warps_ = (num_threads_ + kLanes - 1) / kLanes;
  unsigned number = 0;
  for (unsigned z = 0; z < size.z; ++z) {
    for (unsigned y = 0; y < size.y; ++y) {
      for (unsigned x = 0; x < size.x; ++x) {
        threads_[number++].index = {x, y, z};
      }
    }
  }
  // Launches of the same kernel differ under a random schedule, and yet come again with its seed.
  Turns turns({schedule.order, schedule.seed + counters_in_kernel.kernels}, num_warps_);
  const auto blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  const BlockOrder order(schedule, blocks);
  ++counters_in_kernel.kernels;
  traffic_watch().begin_launch();

  launch_ = &launch;
  schedule_ = schedule;
  turns_ = &turns;
  position.block_size = launch.block;
  position.grid_size = launch.grid;
  for (std::uint64_t turn = 0; turn < blocks && fault_.empty(); ++turn) {
    run_block(order.at(turn));
  }
  traffic_watch().end_launch();
  launch_ = nullptr;
  turns_ = nullptr;
  if (!fault_.empty()) {
    throw Fault(std::exchange(fault_, {}));
  }
}

void BlockRunner::run_block(std::uint64_t number) {
  const dim3 grid = launch_->grid;
  position.block = {static_cast<unsigned>(number % grid.x),
                    static_cast<unsigned>(number / grid.x % grid.y),
                    static_cast<unsigned>(number / grid.x / grid.y)};
  for (unsigned w = 0; w < num_warps_; ++w) {
    const unsigned lanes = std::min(kLanes, num_threads_ - w * kLanes);
    Warp& warp = warps_[w];
    warp.lanes = ~0U >> (kLanes - lanes);
    warp.waiting = warp.at_barrier = warp.ended = 0;
    ready_[w] = warp.lanes;
  }
  num_ended_ = num_at_barrier_ = 0;
  turns_->begin_block();
  shared_memory_.begin_block();

  Fiber main;
  main_ = &main;
  go_on(main, choose());
  if (num_ended_ < num_threads_) {
    if (fault_.empty()) {
      fault_ = deadlock_text();
    }
    unwind();
  }
  running_ = nullptr;
  main_ = nullptr;
  if (const std::string name = shared_memory_.damaged_object(); !name.empty() && fault_.empty()) {
    fault_ = "shared memory next to `" + name + "` was overwritten\n  in " + block_text();
  }
  traffic_watch().end_block();
  ++counters_in_kernel.blocks;
  counters_in_kernel.threads += num_ended_;
}

// Ends the threads that wait, so that the objects on their stacks go away and the fibers can work
// for other threads. Those that have not begun never do.
void BlockRunner::unwind() {
  for (unsigned number = 0; number < num_threads_; ++number) {
    if (threads_[number].fiber != nullptr) {
      go_on(*main_, &threads_[number]);
    }
  }
}

// What a fiber of the pool does: it runs threads that have not begun, until the next one is a
// thread that waits on a fiber of its own.
void BlockRunner::work(Fiber& self) {
  BlockRunner& runner = block_runner();
  for (;;) {
    runner.run_thread();
    runner.end_thread();
    Thread* const next = runner.fault_.empty() ? runner.choose() : nullptr;
    if (next != nullptr && next->fiber == nullptr) {
      next->fiber = &self;
      runner.set_running(*next);
      continue;
    }
    runner.fibers_.put(self);
    runner.go_on(self, next);
  }
}

void BlockRunner::run_thread() {
  try {
    launch_->body();
  } catch (const Abandoned&) {
    // fault_ says why
  } catch (const std::exception& error) {
    if (fault_.empty()) {
      fault_ = about_running(std::string("throws an exception: ") + error.what());
    }
  }
}

void BlockRunner::end_thread() {
  Thread& thread = *running_;
  thread.fiber = nullptr;
  thread.copies.drop();
  warp().ended |= 1U << lane();
  ++num_ended_;
}

Thread* BlockRunner::choose() {
  const unsigned number = turns_->next(ready_);
  if (number == kNoThread) {
    return nullptr;
  }
  ready_[number / kLanes] &= ~(1U << (number % kLanes));
  return &threads_[number];
}

void BlockRunner::set_running(Thread& thread) {
  running_ = &thread;
  position.thread = thread.index;
}

// Stops `from` and goes on with `next`, or with the main fiber if there is no next thread.
void BlockRunner::go_on(Fiber& from, Thread* next) {
  if (next == nullptr) {
    Fiber::go(from, *main_);
    return;
  }
  if (next->fiber == nullptr) {
    next->fiber = &fibers_.take();
  }
  set_running(*next);
  if (next->fiber != &from) {
    Fiber::go(from, *next->fiber);
  }
}

// Lets other threads run until this one is chosen again.
void BlockRunner::pause() {
  go_on(*running_->fiber, choose());
  if (!fault_.empty()) {
    throw Abandoned();
  }
}

void BlockRunner::wait_for_warp(const WarpOperation& operation, unsigned mask, const Place& place) {
  Warp& group = warp();
  const unsigned own = 1U << lane();
  if ((mask & own) == 0) {
    fail(std::string("calls ") + operation.name + " with a mask that it is not part of", place);
  }
  group.waits[lane()] = {&operation, mask, place};
  group.waiting |= own;
  if ((group.waiting & mask) != mask || !lanes_together(group, mask)) {
    pause();
    return;
  }
  group.waiting &= ~mask;
  operation.finish(group, mask);
  unsigned& ready = ready_[running_->number / kLanes];
  if (turns_->yields()) {
    ready |= mask;
    pause();
  } else {
    ready |= mask & ~own;
  }
}

// Whether all lanes of `mask` wait for what the running one does.
bool BlockRunner::lanes_together(const Warp& group, unsigned mask) const {
  const Wait& own = group.waits[lane()];
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const Wait& other = group.waits[static_cast<unsigned>(std::countr_zero(rest))];
    if (other.operation != own.operation || other.mask != mask ||
        !is_same(other.place, own.place)) {
      return false;
    }
  }
  return true;
}

void BlockRunner::wait_for_block(const Place& place) {
  Warp& group = warp();
  if (num_at_barrier_ == 0) {
    barrier_place_ = place;
  } else if (!is_same(barrier_place_, place)) {
    fail("waits at this __syncthreads(), others wait at " + text_of(barrier_place_), place);
  }
  group.waits[lane()] = {nullptr, 0, place};
  group.at_barrier |= 1U << lane();
  if (++num_at_barrier_ < num_threads_) {
    pause();
    return;
  }
  release_block();
  if (turns_->yields()) {
    ready_[running_->number / kLanes] |= 1U << lane();
    pause();
  }
}

void BlockRunner::release_block() {
  for (unsigned w = 0; w < num_warps_; ++w) {
    ready_[w] = warps_[w].lanes;
    warps_[w].at_barrier = 0;
  }
  ready_[running_->number / kLanes] &= ~(1U << lane());
  num_at_barrier_ = 0;
}

void BlockRunner::fail(const std::string& what, const Place& place) {
  if (fault_.empty()) {
    fault_ = about_running(what + ", at " + text_of(place));
  }
  throw Abandoned();
}

}  // namespace vernal::cuda_sm86::emulator
