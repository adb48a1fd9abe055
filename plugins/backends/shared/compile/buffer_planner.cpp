#include "shared/compile/buffer_planner.hpp"

#include <algorithm>
#include <numeric>

#include "shared/state/memory.hpp"

namespace vernal::backend {

namespace {

/// First and last operation that touches a buffer.
struct Life {
  std::int64_t first = -1;
  std::int64_t last = -1;

  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

std::vector<Life> lives_of(std::span<const BufferUse* const> operations, std::size_t num_buffers) {
  std::vector<Life> lives(num_buffers);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto touch = [&](BufferId id) {
      Life& life = lives[static_cast<std::size_t>(id)];
      if (life.first < 0) life.first = static_cast<std::int64_t>(i);
      life.last = static_cast<std::int64_t>(i);
    };
    std::ranges::for_each(operations[i]->reads, touch);
    std::ranges::for_each(operations[i]->writes, touch);
  }
  return lives;
}

bool overlap(const Location& a, const Location& b) {
  return a.place == b.place && a.place != Place::kInput && a.offset < b.offset + b.bytes &&
         b.offset < a.offset + a.bytes;
}

}  // namespace

BufferId BufferPlanner::add_arena(std::int64_t bytes) {
  locations_.push_back({Place::kArena, 0, aligned_bytes(bytes)});
  return static_cast<BufferId>(locations_.size() - 1);
}

BufferId BufferPlanner::add_output(std::int64_t bytes) {
  locations_.push_back({Place::kOutput, 0, aligned_bytes(bytes)});
  return static_cast<BufferId>(locations_.size() - 1);
}

BufferId BufferPlanner::add_input(std::int64_t index) {
  locations_.push_back({Place::kInput, index, 0});
  return static_cast<BufferId>(locations_.size() - 1);
}

void BufferPlanner::make_output(BufferId id) {
  locations_[static_cast<std::size_t>(id)].place = Place::kOutput;
}

void BufferPlanner::place(std::span<const BufferUse* const> operations) {
  const std::vector<Life> lives = lives_of(operations, locations_.size());
  std::vector<std::size_t> order(locations_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Large buffers first, each at the lowest place that is free during its life. For a chain of
  // layers that comes close to the least possible.
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return locations_[a].bytes > locations_[b].bytes;
  });
  std::vector<std::size_t> placed;
  for (const std::size_t i : order) {
    Location& here = locations_[i];
    if (here.place == Place::kOutput) {
      here.offset = output_bytes_;
      output_bytes_ += here.bytes;
    }
    if (here.place != Place::kArena || lives[i].first < 0) continue;
    std::vector<const Location*> taken;
    for (const std::size_t j : placed) {
      if (lives[j].overlaps(lives[i])) taken.push_back(&locations_[j]);
    }
    std::ranges::sort(taken, {}, &Location::offset);
    for (const Location* other : taken) {
      if (here.offset + here.bytes <= other->offset) break;
      here.offset = std::max(here.offset, other->offset + other->bytes);
    }
    arena_bytes_ = std::max(arena_bytes_, here.offset + here.bytes);
    placed.push_back(i);
  }
}

void place_barriers(std::span<BufferUse* const> operations,
                    const std::vector<Location>& locations) {
  std::vector<BufferId> read;
  std::vector<BufferId> written;
  const auto clash = [&](const std::vector<BufferId>& mine, const std::vector<BufferId>& theirs) {
    return std::ranges::any_of(mine, [&](BufferId a) {
      return std::ranges::any_of(theirs, [&](BufferId b) {
        return overlap(locations[static_cast<std::size_t>(a)],
                       locations[static_cast<std::size_t>(b)]);
      });
    });
  };
  for (BufferUse* const operation : operations) {
    if (clash(operation->reads, written) || clash(operation->writes, written) ||
        clash(operation->writes, read)) {
      operation->needs_barrier = true;
      read.clear();
      written.clear();
    }
    read.insert(read.end(), operation->reads.begin(), operation->reads.end());
    written.insert(written.end(), operation->writes.begin(), operation->writes.end());
  }
}

}  // namespace vernal::backend
