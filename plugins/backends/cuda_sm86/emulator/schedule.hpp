// In which order the threads of a block, and the blocks of a grid, take turns. A kernel must be
// right under every order, and most faults show only under some of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::cuda_sm86::emulator {

inline constexpr unsigned kLanes = 32;
inline constexpr unsigned kMostThreads = 1024;  // of a block
inline constexpr unsigned kMostWarps = kMostThreads / kLanes;

enum class Order : std::uint8_t {
  kForward,  ///< each thread runs until it waits, then the next one does
  kReverse,
  kRandom,
  kGreedyForward,  ///< a warp runs on as long as any of its lanes can, and only then the next one
  kGreedyReverse,  ///< finds, as kGreedyForward does, what is missing at the end of a loop
};
inline constexpr std::array kAllOrders = {Order::kForward, Order::kReverse, Order::kRandom,
                                          Order::kGreedyForward, Order::kGreedyReverse};

struct Schedule {
  Order order = Order::kForward;
  std::uint64_t seed = 1;  ///< of kRandom

  bool operator==(const Schedule&) const = default;
};

/// Reads `forward`, `reverse`, `random`, `random:SEED`, `greedy_forward` or `greedy_reverse`.
std::optional<Schedule> schedule_of(std::string_view text);
std::string name_of(const Schedule& schedule);

/// Random numbers, the same for the same seed everywhere (xorshift64*).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 0x632BE59BD9B4E019U) {}

  /// A number below `limit`.
  std::uint32_t roll(std::uint32_t limit) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    const auto high = static_cast<std::uint32_t>((state_ * 0x2545F4914F6CDD1DU) >> 32);
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(high) * limit) >> 32);
  }

 private:
  std::uint64_t state_;
};

/// Visits each number below `count` once, in an order that the schedule says.
class BlockOrder {
 public:
  BlockOrder(const Schedule& schedule, std::uint64_t count);

  /// The block whose turn is `turn`.
  std::uint64_t at(std::uint64_t turn) const { return (first_ + turn * step_) % count_; }

 private:
  std::uint64_t count_;
  std::uint64_t first_ = 0;
  std::uint64_t step_ = 1;  // has no common divisor with count_
};

/// The threads of a block that can run, as one bit for each lane of each warp.
using ReadyLanes = std::array<std::uint32_t, kMostWarps>;

inline constexpr unsigned kNoThread = ~0U;

/// Chooses the thread that runs next.
class Turns {
 public:
  Turns(const Schedule& schedule, unsigned num_warps);

  /// Forgets who ran last.
  void begin_block() { last_ = kNoThread; }
  /// The next thread by number, or kNoThread if none can run.
  unsigned next(const ReadyLanes& ready);
  /// Whether a thread that could go on should let others run first.
  bool yields() const { return order_ == Order::kRandom; }

 private:
  bool is_reverse() const;
  unsigned choose(const ReadyLanes& ready);
  unsigned greedy(const ReadyLanes& ready) const;
  unsigned upward(const ReadyLanes& ready, unsigned from) const;
  unsigned downward(const ReadyLanes& ready, unsigned from) const;

  Order order_;
  unsigned num_warps_;
  unsigned last_ = kNoThread;
  Dice dice_;
};

}  // namespace vernal::cuda_sm86::emulator
