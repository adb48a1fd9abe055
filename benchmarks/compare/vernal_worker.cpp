// Our side of compare.py: loads the first model of a deployment and measures what standard input
// asks for.
//
//   decode DEPTH COUNT [SEQUENCES]   COUNT steps from DEPTH tokens on, each one token of every
//                                    sequence
//   prefill COUNT [DEPTH]            COUNT tokens from DEPTH tokens on, at once if the deployment
//                                    allows
//   read                             reads memory with all threads; seconds for 10^9 bytes
//   bytes                            the weights that a step of one token reads, in 10^9 bytes
//   logits COUNT                     COUNT tokens from the start, one by one; their logits,
//                                    [COUNT, vocabulary] f32, go to the file of the command line
// Each line is answered with its time in seconds. The time to reach DEPTH does not count. The first
// line of output is "ready".
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "command/bench/read_bandwidth.hpp"
#include "loading/open_deployment.hpp"
#include "plugin/backend_client.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

class Worker {
 public:
  explicit Worker(LoadedModel& model) : model_(model) {}

  double prefill(std::uint64_t count, std::uint64_t depth) {
    prepare(1, depth, count);
    return timed([&] { feed({0}, count); });
  }

  /// Writes the logits of the first `count` tokens. They are fed one by one, because a step gives
  /// no more rows than slots.
  double logits(std::uint64_t count, const char* file) {
    prepare(1, 0, count);
    std::ofstream out(file, std::ios::binary);
    return timed([&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        feed({0}, 1, [&] {
          const std::span<const float> row = model_.steps->logits(0);
          out.write(reinterpret_cast<const char*>(row.data()),
                    static_cast<std::streamsize>(row.size_bytes()));
        });
      }
    });
  }

  double decode(std::uint64_t depth, std::uint64_t count, std::size_t num_sequences) {
    prepare(num_sequences, depth, count);
    std::vector<std::size_t> all(num_sequences);
    for (std::size_t i = 0; i < num_sequences; ++i) all[i] = i;
    return timed([&] {
      for (std::uint64_t i = 0; i < count; ++i) feed(all, 1);
    });
  }

 private:
  struct Sequence {
    SequenceId id = 0;
    std::uint64_t length = 0;
  };

  template <class F>
  static double timed(F&& f) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  /// Brings the first sequences to `depth` tokens, with room for `count` more.
  void prepare(std::size_t num_sequences, std::uint64_t depth, std::uint64_t count) {
    while (sequences_.size() < num_sequences) {
      sequences_.push_back({model_.steps->create_sequence().value(), 0});
    }
    for (std::size_t i = 0; i < num_sequences; ++i) {
      Sequence& s = sequences_[i];
      if (s.length > depth) {
        if (model_.steps->truncate(s.id, depth)) {
          s.length = depth;
        } else {  // a state that cannot be cut begins from nothing
          model_.steps->release_sequence(s.id);
          s = {model_.steps->create_sequence().value(), 0};
        }
      }
      if (!model_.steps->reserve(s.id, depth + count - s.length)) {
        throw Error(VERNAL_RESOURCE_EXHAUSTED, "the deployment's kv_tokens are too few");
      }
      if (s.length < depth) feed({i}, depth - s.length);
    }
  }

  /// Appends `count` tokens to each of the sequences. `look` gets the logits of each step.
  void feed(const std::vector<std::size_t>& sequences, std::uint64_t count,
            const std::function<void()>& look = {}) {
    while (count > 0) {
      const std::uint64_t size = std::min<std::uint64_t>(count, model_.max_tokens_per_step);
      tokens_.assign(size, 0);
      for (std::uint64_t i = 0; i < size; ++i) {
        tokens_[i] = static_cast<TokenId>((sequences_[sequences[0]].length + i) * 7919 % 30'000);
      }
      std::vector<StepChunk> chunks;
      for (const std::size_t i : sequences) {
        chunks.push_back({sequences_[i].id, sequences_[i].length, tokens_, 1});
        sequences_[i].length += size;
      }
      model_.steps->begin_step(chunks);
      while (!model_.steps->wait_step(std::chrono::seconds(60))) {
      }
      if (look) look();
      model_.steps->end_step();
      count -= size;
    }
  }

  LoadedModel& model_;
  std::vector<Sequence> sequences_;
  std::vector<TokenId> tokens_;
};

int serve(const char* file, const char* logits_file) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(file, log);
  open.plan_models();
  ResidentModel& model = open.model("");
  const double bytes = static_cast<double>(model.plan_info().weight_bytes_per_step) * 1e-9;
  const std::uint32_t threads = open.num_workers(model.settings());
  LoadedModel loaded = model.load([](std::uint64_t, std::uint64_t) { return true; });
  const plugin::ScopedThreadRole role(VERNAL_ROLE_ENGINE);
  loaded.steps->open();
  Worker worker(loaded);
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::size_t num_sequences = 1;
    words >> verb >> first >> count >> num_sequences;
    if (num_sequences == 0) num_sequences = 1;
    const double seconds = verb == "prefill"  ? worker.prefill(first, count)
                           : verb == "read"   ? 1e9 / measure_read_bandwidth(threads)
                           : verb == "bytes"  ? bytes
                           : verb == "logits" ? worker.logits(first, logits_file)
                                              : worker.decode(first, count, num_sequences);
    std::cout << seconds << std::endl;
  }
  loaded.steps.reset();
  return 0;
}

}  // namespace
}  // namespace vernal

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: compare_worker DEPLOYMENT.toml LOGITS_FILE\n";
    return 2;
  }
  try {
    return vernal::serve(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
