#include <fmt/format.h>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/make_model/tensors.hpp"
#include "command/make_model/tokenizer.hpp"
#include "command/make_model/weights.hpp"
#include "config/units.hpp"
#include "model/gguf_file.hpp"
#include "model/printable.hpp"

namespace vernal {

void make_model(const std::filesystem::path& shape_file, const std::filesystem::path& output,
                std::uint64_t seed, bool header_only) {
  ModelShape shape = read_model_shape(shape_file);
  if (seed != 0) shape.seed = seed;
  const GgufFile source = GgufFile::open(shape.tokenizer);
  const CutTokenizer tokenizer = cut_tokenizer(source, shape.num_tokens);
  const std::vector<TensorPlan> tensors = plan_tensors(shape, tokenizer.num_tokens);

  GgufFileWriter writer(output);
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
  if (header_only) {
    writer.finish_with_hole();
  } else {
    for (const TensorPlan& tensor : tensors) write_weights(tensor, shape.seed, writer);
    writer.finish();
  }
  fmt::print("{}: {}, {} tokens, {} tensors, {} weights, {}\n", printable(output.native(), 1024),
             shape.family->architecture, tokenizer.num_tokens, tensors.size(), weights,
             format_size(bytes));
}

void add_make_model_command(CommandLine& line) {
  struct Arguments {
    std::filesystem::path shape;
    std::filesystem::path output;
    std::uint64_t seed = 0;  // 0: the shape's
    bool header_only = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = line.add(
      "make-model", "Write a model file of a given shape with random weights", [arguments] {
        make_model(arguments->shape, arguments->output, arguments->seed, arguments->header_only);
        return 0;
      });
  command.add_option("SHAPE", arguments->shape, "shape file (TOML)")->required();
  command.add_option("OUT", arguments->output, "model file to write (GGUF)")->required();
  command.add_option("--seed", arguments->seed, "instead of the shape's seed")
      ->check(CLI::PositiveNumber);
  command.add_flag(
      "--header-only", arguments->header_only,
      "a hole in place of the weights, all zeros: for `vernal plan` and `vernal check`");
}

}  // namespace vernal
