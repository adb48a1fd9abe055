// The other side of compare.py: the protocol of vernal_worker.cpp, over the C interface of
// ik_llama.cpp. compare.py compiles it with the headers and libraries of a Python package. It is
// not a part of this project's build.
//
//   peer_worker MODEL.gguf THREADS CONTEXT LOGITS_FILE
#include <llama.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kBatchTokens = 512;
constexpr int kMostSequences = 4;

class Worker {
 public:
  Worker(const char* path, int threads, int context_length) {
    llama_backend_init();
    llama_model_params model_params = llama_model_default_params();
    model_params.use_mmap = false;
    model_params.repack_tensors = true;  // the faster setting
    model_ = llama_model_load_from_file(path, model_params);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<std::uint32_t>(context_length);
    params.n_batch = kBatchTokens;
    params.n_ubatch = kBatchTokens;
    params.n_seq_max = kMostSequences;
    params.n_threads = static_cast<std::uint32_t>(threads);
    params.n_threads_batch = static_cast<std::uint32_t>(threads);
    params.flash_attn = true;
    params.type_k = GGML_TYPE_Q8_0;
    params.type_v = GGML_TYPE_Q8_0;
    context_ = llama_init_from_model(model_, params);
    batch_ = llama_batch_init(kBatchTokens, 0, 1);
  }

  bool is_ready() const { return model_ != nullptr && context_ != nullptr; }

  double prefill(int count, int depth) {
    prepare(1, depth);
    return timed([&] { feed(0, count); });
  }

  double logits(int count, const char* file) {
    prepare(1, 0);
    std::ofstream out(file, std::ios::binary);
    batch_.n_tokens = 0;
    for (int i = 0; i < count; ++i) add(0, true);
    const double seconds = timed([&] { run(); });
    const auto row_bytes = static_cast<std::streamsize>(sizeof(float)) * llama_n_vocab(model_);
    for (int i = 0; i < count; ++i) {
      out.write(reinterpret_cast<const char*>(llama_get_logits_ith(context_, i)), row_bytes);
    }
    return seconds;
  }

  double decode(int depth, int count, int num_sequences) {
    prepare(num_sequences, depth);
    return timed([&] {
      for (int i = 0; i < count; ++i) step(num_sequences);
    });
  }

 private:
  template <class F>
  static double timed(F&& f) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  void prepare(int num_sequences, int depth) {
    for (int s = 0; s < num_sequences; ++s) {
      if (lengths_[s] > depth) {
        // A state that cannot be cut begins from nothing.
        const bool can_cut = depth == 0 || !llama_model_has_recurrent(model_);
        lengths_[s] = can_cut ? depth : 0;
        llama_kv_cache_seq_rm(context_, s, can_cut ? depth : -1, -1);
      }
      if (lengths_[s] < depth) feed(s, depth - lengths_[s]);
    }
  }

  void add(int sequence, bool wants_logits) {
    const int i = batch_.n_tokens++;
    batch_.token[i] = static_cast<llama_token>(lengths_[sequence] * 7919L % 30'000);
    batch_.pos[i] = lengths_[sequence]++;
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = sequence;
    batch_.logits[i] = wants_logits ? 1 : 0;
  }

  void run() {
    if (llama_decode(context_, batch_) != 0) {
      std::cerr << "llama_decode failed\n";
      std::exit(1);
    }
    // The result is complete only after it was asked for.
    volatile float first = *llama_get_logits_ith(context_, batch_.n_tokens - 1);
    (void)first;
  }

  void feed(int sequence, int count) {
    while (count > 0) {
      const int size = std::min(count, kBatchTokens);
      batch_.n_tokens = 0;
      for (int i = 0; i < size; ++i) add(sequence, i + 1 == size);
      run();
      count -= size;
    }
  }

  void step(int num_sequences) {
    batch_.n_tokens = 0;
    for (int s = 0; s < num_sequences; ++s) add(s, true);
    run();
  }

  llama_model* model_ = nullptr;
  llama_context* context_ = nullptr;
  llama_batch batch_{};
  int lengths_[kMostSequences] = {};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: peer_worker MODEL.gguf THREADS CONTEXT LOGITS_FILE\n";
    return 2;
  }
  Worker worker(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
  if (!worker.is_ready()) return 1;
  std::cout << "ready" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    int first = 0;
    int count = 0;
    int num_sequences = 1;
    words >> verb >> first >> count >> num_sequences;
    if (num_sequences == 0) num_sequences = 1;
    std::cout << (verb == "prefill"  ? worker.prefill(first, count)
                  : verb == "logits" ? worker.logits(first, argv[4])
                                     : worker.decode(first, count, num_sequences))
              << std::endl;
  }
}
