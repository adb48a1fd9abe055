#include "emulator/warp.hpp"

#include <bit>
#include <string>

#include "emulator/block.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

void finish_nothing(Warp&, unsigned) {}

void finish_shuffle(Warp& warp, unsigned mask) {
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    const unsigned source = warp.sources[lane];
    if (((mask >> source) & 1U) == 0) {
      block_runner().fail("completes a shuffle in which lane " + std::to_string(lane) +
                              " reads lane " + std::to_string(source) + ", which takes no part",
                          warp.waits[lane].place);
    }
    warp.results[lane] = warp.values[source];
  }
}

void finish_ballot(Warp& warp, unsigned mask) {
  unsigned votes = 0;
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    votes |= warp.values[lane] << lane;
  }
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    warp.results[static_cast<unsigned>(std::countr_zero(rest))] = votes;
  }
}

constexpr WarpOperation kSynchronize = {"__syncwarp()", finish_nothing};
constexpr WarpOperation kBallot = {"a vote (__ballot_sync, __any_sync or __all_sync)",
                                   finish_ballot};
constexpr WarpOperation kShuffles[] = {{"__shfl_sync", finish_shuffle},
                                       {"__shfl_up_sync", finish_shuffle},
                                       {"__shfl_down_sync", finish_shuffle},
                                       {"__shfl_xor_sync", finish_shuffle}};

// The lane that `lane` reads. `first` and `last` bound its part of the warp.
int source_lane(ShuffleKind kind, int lane, int argument, int width) {
  const int first = lane & ~(width - 1);
  const int last = first + width - 1;
  int source = lane;
  switch (kind) {
    case ShuffleKind::kIndex:
      return first + (argument & (width - 1));
    case ShuffleKind::kUp:
      source = lane - argument;
      return source < first ? lane : source;
    case ShuffleKind::kDown:
      source = lane + argument;
      return source > last ? lane : source;
    case ShuffleKind::kXor:  // CUDA lets it read a part before, but none behind
      source = lane ^ argument;
      return source > last ? lane : source;
  }
  return lane;
}

}  // namespace

void synchronize_block(Place place) { block_runner().wait_for_block(place); }

void synchronize_warp(unsigned mask, Place place) {
  block_runner().wait_for_warp(kSynchronize, mask, place);
}

std::uint32_t shuffle(ShuffleKind kind, unsigned mask, std::uint32_t value, int argument, int width,
                      Place place) {
  BlockRunner& runner = block_runner();
  const bool is_distance = kind != ShuffleKind::kIndex;
  const bool is_width = width >= 1 && width <= 32 && (width & (width - 1)) == 0;
  if (!is_width || (is_distance && (argument < 0 || argument > 31))) {
    runner.fail("shuffles by " + std::to_string(argument) + " in parts of " +
                    std::to_string(width) + " lanes, which are no distance or width of a warp",
                place);
  }
  Warp& warp = runner.warp();
  const unsigned lane = runner.lane();
  warp.values[lane] = value;
  warp.sources[lane] =
      static_cast<std::uint8_t>(source_lane(kind, static_cast<int>(lane), argument, width));
  runner.wait_for_warp(kShuffles[static_cast<unsigned>(kind)], mask, place);
  return warp.results[lane];
}

unsigned ballot(unsigned mask, bool holds, Place place) {
  BlockRunner& runner = block_runner();
  Warp& warp = runner.warp();
  const unsigned lane = runner.lane();
  warp.values[lane] = holds ? 1U : 0U;
  runner.wait_for_warp(kBallot, mask, place);
  return warp.results[lane];
}

void trap(const char* what, Place place) {
  block_runner().fail(std::string("stops the kernel: ") + what, place);
}

}  // namespace vernal::cuda_sm86::emulator
