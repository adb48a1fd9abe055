#include <fmt/format.h>

#include "command/commands.hpp"
#include "command/make_model/tensors.hpp"
#include "command/make_model/tokenizer.hpp"
#include "command/make_model/weights.hpp"
#include "config/units.hpp"
#include "model/gguf_file.hpp"
#include "model/printable.hpp"

namespace vernal {

int command_make_model(const MakeModelArguments& arguments) {
  ModelShape shape = read_model_shape(arguments.shape);
  if (arguments.seed != 0) shape.seed = arguments.seed;
  const GgufFile source = GgufFile::open(shape.tokenizer);
  const CutTokenizer tokenizer = cut_tokenizer(source, shape.num_tokens);
  const std::vector<TensorPlan> tensors = plan_tensors(shape, tokenizer.num_tokens);

  GgufFileWriter writer(arguments.output);
  add_shape_metadata(shape, writer);
  for (const auto& [key, value] : tokenizer.entries) writer.add(key, value);
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
  for (const TensorPlan& tensor : tensors) {
    writer.add_tensor(tensor.name, tensor.dims, *tensor.type);
    weights += tensor.columns() * tensor.rows();
    bytes += tensor.type->row_bytes(tensor.columns()) * tensor.rows();
  }
  writer.begin_data();
  for (const TensorPlan& tensor : tensors) write_weights(tensor, shape.seed, writer);
  writer.finish();
  fmt::print("{}: {}, {} tokens, {} tensors, {} weights, {}\n",
             printable(arguments.output.native(), 1024), shape.family->architecture,
             tokenizer.num_tokens, tensors.size(), weights, format_size(bytes));
  return 0;
}

}  // namespace vernal
