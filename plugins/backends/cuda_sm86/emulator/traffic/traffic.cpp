#include "emulator/traffic/traffic.hpp"

#include <algorithm>
#include <bit>

namespace vernal::cuda_sm86::emulator {
namespace {

template <class Sectors>
std::uint64_t number_of(const Sectors& sectors) {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : sectors) {
    sum += static_cast<std::uint64_t>(std::popcount(word));
  }
  return sum;
}

}  // namespace

TrafficWatch& traffic_watch() {
  static auto& only = *new TrafficWatch();
  return only;
}

void TrafficWatch::start() {
  stop();
  pages_.clear();
  newest_ = nullptr;
  is_counting_ = true;
}

void TrafficWatch::stop() {
  is_counting_ = false;
  is_in_launch_ = false;
  of_block_.clear();
  of_launch_.clear();
}

void TrafficWatch::begin_launch() { is_in_launch_ = is_counting_; }

void TrafficWatch::end_block() {
  for (Page* const page : of_block_) {
    for (std::size_t kind = 0; kind < 2; ++kind) {
      page->by_blocks[kind] += number_of(page->of_block[kind]);
      for (std::size_t i = 0; i < page->of_block[kind].size(); ++i) {
        page->of_launch[kind][i] |= page->of_block[kind][i];
      }
    }
    page->of_block = {};
    page->is_in_block = false;
    if (!page->is_in_launch) {
      page->is_in_launch = true;
      of_launch_.push_back(page);
    }
  }
  of_block_.clear();
}

void TrafficWatch::end_launch() {
  end_block();
  for (Page* const page : of_launch_) {
    for (std::size_t kind = 0; kind < 2; ++kind) {
      page->by_launches[kind] += number_of(page->of_launch[kind]);
    }
    page->of_launch = {};
    page->is_in_launch = false;
  }
  of_launch_.clear();
  is_in_launch_ = false;
}

TrafficWatch::Page& TrafficWatch::page_at(std::uintptr_t number) {
  if (newest_ == nullptr || newest_number_ != number) {
    newest_ = &pages_[number];
    newest_number_ = number;
  }
  return *newest_;
}

void TrafficWatch::mark(const void* at, std::size_t bytes, bool is_write) {
  if (bytes == 0) {
    return;
  }
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const std::uintptr_t last = (begin + bytes - 1) / kSectorBytes;
  for (std::uintptr_t sector = begin / kSectorBytes; sector <= last; ++sector) {
    constexpr std::uintptr_t kSectors = kPageBytes / kSectorBytes;
    Page& page = page_at(sector / kSectors);
    if (!page.is_in_block) {
      page.is_in_block = true;
      of_block_.push_back(&page);
    }
    const std::uintptr_t bit = sector % kSectors;
    page.of_block[is_write ? 1 : 0][bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

Traffic TrafficWatch::of(const void* at, std::size_t bytes) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  Traffic out;
  for (auto page = pages_.lower_bound(begin / kPageBytes);
       page != pages_.end() && page->first * kPageBytes < begin + bytes; ++page) {
    out.by_blocks.read += page->second.by_blocks[0] * kSectorBytes;
    out.by_blocks.written += page->second.by_blocks[1] * kSectorBytes;
    out.by_launches.read += page->second.by_launches[0] * kSectorBytes;
    out.by_launches.written += page->second.by_launches[1] * kSectorBytes;
  }
  return out;
}

}  // namespace vernal::cuda_sm86::emulator
