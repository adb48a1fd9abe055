#include "emulator/streams.hpp"

#include <utility>

namespace vernal::cuda_sm86::emulator {

void run_one(CUstream_st& stream) {
  if (stream.queue.empty()) {
    return;
  }
  const std::shared_ptr<Moment> after = stream.queue.front().after;
  if (after != nullptr && !after->is_reached) {
    run_one(*after->stream);
    return;
  }
  const Action run = std::move(stream.queue.front().run);
  stream.queue.pop_front();
  if (run) {
    run();
  }
}

void run_all(CUstream_st& stream) {
  while (!stream.queue.empty()) {
    run_one(stream);
  }
}

void run_until(const Moment& moment) {
  while (!moment.is_reached) {
    run_one(*moment.stream);
  }
}

}  // namespace vernal::cuda_sm86::emulator
