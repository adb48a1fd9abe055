// The tensors and the metadata that a file of a given shape has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command/make_model/shape.hpp"
#include "model/gguf_file_writer.hpp"

namespace vernal {

/// What a tensor is filled with.
enum class Filling {
  kNormal,    // mean 0, standard deviation `scale`
  kOnes,      // norms
  kDecay,     // ssm_a: -1 to -16, so that heads forget at different speeds
  kTimeStep,  // ssm_dt: softplus gives 0.001 to 0.1, the range that training starts with
};

struct TensorPlan {
  std::string name;  // "blk.0.attn_q.weight"
  std::string stem;  // "attn_q": what [types] calls it
  std::vector<std::uint64_t> dims;
  const BlockType* type = nullptr;  // null only where the shape has no default type
  bool is_matrix = false;           // its type is the shape's choice
  Filling filling = Filling::kNormal;
  double scale = 1;

  std::uint64_t columns() const noexcept { return dims[0]; }
  std::uint64_t rows() const noexcept;
};

/// All tensors in the order of the file, for a vocabulary of `num_tokens`.
std::vector<TensorPlan> plan_tensors(const ModelShape& shape, std::uint64_t num_tokens);

/// Adds all keys but the tokenizer's.
void add_shape_metadata(const ModelShape& shape, GgufFileWriter& writer);

}  // namespace vernal
