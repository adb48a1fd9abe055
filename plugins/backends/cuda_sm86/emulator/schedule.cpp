#include "emulator/schedule.hpp"

#include <bit>
#include <charconv>
#include <numeric>
#include <system_error>
#include <utility>

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr std::array<std::pair<Order, std::string_view>, kAllOrders.size()> kOrderNames = {{
    {Order::kForward, "forward"},
    {Order::kReverse, "reverse"},
    {Order::kRandom, "random"},
    {Order::kGreedyForward, "greedy_forward"},
    {Order::kGreedyReverse, "greedy_reverse"},
}};

// The bits of `word` from bit `first` up, and up to bit `last`.
std::uint32_t bits_from(std::uint32_t word, unsigned first) { return word & (~0U << first); }
std::uint32_t bits_to(std::uint32_t word, unsigned last) { return word & (~0U >> (31 - last)); }

unsigned lowest(std::uint32_t word) { return static_cast<unsigned>(std::countr_zero(word)); }
unsigned highest(std::uint32_t word) { return 31U - static_cast<unsigned>(std::countl_zero(word)); }

}  // namespace

std::optional<Schedule> schedule_of(std::string_view text) {
  Schedule schedule;
  constexpr std::string_view kSeeded = "random:";
  if (text.starts_with(kSeeded)) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + kSeeded.size(), end, schedule.seed);
    if (error != std::errc() || rest != end) {
      return std::nullopt;
    }
    schedule.order = Order::kRandom;
    return schedule;
  }
  for (const auto& [order, name] : kOrderNames) {
    if (text == name) {
      schedule.order = order;
      return schedule;
    }
  }
  return std::nullopt;
}

std::string name_of(const Schedule& schedule) {
  for (const auto& [order, name] : kOrderNames) {
    if (order == Order::kRandom && schedule.order == order) {
      return std::string(name) + ":" + std::to_string(schedule.seed);
    }
    if (schedule.order == order) {
      return std::string(name);
    }
  }
  return "?";
}

BlockOrder::BlockOrder(const Schedule& schedule, std::uint64_t count) : count_(count) {
  if (schedule.order == Order::kReverse || schedule.order == Order::kGreedyReverse) {
    first_ = count - 1;
    step_ = count - 1;
  }
  if (schedule.order == Order::kRandom && count < (1ULL << 31)) {
    Dice dice(schedule.seed);
    const auto limit = static_cast<std::uint32_t>(count);
    first_ = dice.roll(limit);
    do {
      step_ = std::uint64_t{1} + dice.roll(limit);
    } while (std::gcd(step_, count) != 1);
  }
}

Turns::Turns(const Schedule& schedule, unsigned num_warps)
    : order_(schedule.order), num_warps_(num_warps), dice_(schedule.seed) {}

unsigned Turns::next(const ReadyLanes& ready) {
  const unsigned found = choose(ready);
  if (found != kNoThread) {
    last_ = found;
  }
  return found;
}

bool Turns::is_reverse() const {
  return order_ == Order::kReverse || order_ == Order::kGreedyReverse;
}

unsigned Turns::choose(const ReadyLanes& ready) {
  const unsigned threads = num_warps_ * kLanes;
  if (order_ == Order::kRandom) {
    return upward(ready, dice_.roll(threads));
  }
  if (last_ == kNoThread) {
    return is_reverse() ? downward(ready, threads - 1) : upward(ready, 0);
  }
  switch (order_) {
    case Order::kForward:
      return upward(ready, last_ + 1 == threads ? 0 : last_ + 1);
    case Order::kReverse:
      return downward(ready, last_ == 0 ? threads - 1 : last_ - 1);
    default:
      return greedy(ready);
  }
}

// The next lane of the warp that ran last, or a lane of the next warp.
unsigned Turns::greedy(const ReadyLanes& ready) const {
  const std::uint32_t own = ready[last_ / kLanes];
  const unsigned lane = last_ % kLanes;
  const unsigned first = last_ - lane;
  if (own == 0) {
    return is_reverse() ? downward(ready, first + kLanes - 1) : upward(ready, first);
  }
  if (is_reverse()) {
    const std::uint32_t below = lane == 0 ? 0 : bits_to(own, lane - 1);
    return first + highest(below != 0 ? below : own);
  }
  const std::uint32_t above = lane == kLanes - 1 ? 0 : bits_from(own, lane + 1);
  return first + lowest(above != 0 ? above : own);
}

// From thread `from` on, and from thread 0 after the last one.
unsigned Turns::upward(const ReadyLanes& ready, unsigned from) const {
  unsigned warp = from / kLanes;
  std::uint32_t bits = bits_from(ready[warp], from % kLanes);
  for (unsigned tried = 0; tried <= num_warps_; ++tried) {
    if (bits != 0) {
      return warp * kLanes + lowest(bits);
    }
    warp = warp + 1 == num_warps_ ? 0 : warp + 1;
    bits = ready[warp];
  }
  return kNoThread;
}

unsigned Turns::downward(const ReadyLanes& ready, unsigned from) const {
  unsigned warp = from / kLanes;
  std::uint32_t bits = bits_to(ready[warp], from % kLanes);
  for (unsigned tried = 0; tried <= num_warps_; ++tried) {
    if (bits != 0) {
      return warp * kLanes + highest(bits);
    }
    warp = warp == 0 ? num_warps_ - 1 : warp - 1;
    bits = ready[warp];
  }
  return kNoThread;
}

}  // namespace vernal::cuda_sm86::emulator
