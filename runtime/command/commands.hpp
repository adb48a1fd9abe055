// The commands of `vernal`, one function each; main.cpp maps the command line to them. Each returns
// the exit status and throws vernal::Error for what it cannot do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vernal {

class ControlSignals;

struct CheckArguments {
  std::filesystem::path file;
};
/// Validates a deployment file and everything it names that can be checked without loading weights.
int command_check(const CheckArguments& arguments);

struct PlanArguments {
  std::filesystem::path file;
  bool json = false;
};
/// Prices every model of a deployment from file headers.
int command_plan(const PlanArguments& arguments);

struct InspectArguments {
  std::filesystem::path file;  // GGUF
  bool tensors = false;
  bool module = false;
  std::vector<std::filesystem::path> plugin_paths;
};
/// Prints what a model file holds.
int command_inspect(const InspectArguments& arguments);

struct MakeModelArguments {
  std::filesystem::path shape;   // TOML
  std::filesystem::path output;  // GGUF
  std::uint64_t seed = 0;        // 0: the shape's
};
/// Writes a model file of that shape with random weights.
int command_make_model(const MakeModelArguments& arguments);

struct PluginsArguments {
  std::vector<std::filesystem::path> folders;  // none: the installed one
  std::string schema;                          // plugin whose configuration is printed instead
};
/// Lists plugins and why some are refused.
int command_plugins(const PluginsArguments& arguments);

struct BenchArguments {
  std::filesystem::path file;
  std::string model;
  std::vector<std::uint64_t> depths;
  std::uint64_t prefill_tokens = 512;
  std::uint64_t decode_tokens = 32;
  std::uint32_t repetitions = 3;
  bool json = false;
};
/// Measures prefill and decode speed over depths.
int command_bench(const BenchArguments& arguments);

struct PerplexityArguments {
  std::filesystem::path file;
  std::string model;
  std::filesystem::path text;
  std::string kv;  // "q8_0", "q8_0/q4_0"; empty: the deployment's
  bool no_rotate = false;
  std::string window = "512";
  std::uint64_t tokens = 0;  // of the text; 0: all
  bool json = false;
};
/// Perplexity of a model on a text.
int command_perplexity(const PerplexityArguments& arguments);

struct KvcheckArguments {
  std::filesystem::path file;
  std::string model;
  std::filesystem::path text;
  std::vector<std::string> depths;   // "2K"
  std::vector<std::string> formats;  // as PerplexityArguments::kv
  std::uint64_t tokens = 256;        // scored after each depth
  bool json = false;
};
/// Compares formats of the KV cache with f16 on a text.
int command_kvcheck(const KvcheckArguments& arguments);

struct ServeArguments {
  std::filesystem::path file;
  bool only_console = false;  // `vernal chat`: the frontends are replaced by the console
  std::string model;          // of the console; empty: the first
};
/// Serves until SIGTERM, then drains.
int command_serve(const ServeArguments& arguments, ControlSignals& signals);

struct RunArguments {
  std::filesystem::path file;
  std::string model;
  std::string prompt;
  std::uint64_t max_tokens = 0;  // 0: as many as fit
  std::optional<double> temperature;
  std::optional<std::uint64_t> seed;
  bool raw = false;  // the prompt is text to continue, without the chat template
};
/// One answer through the engine, written to standard output as it comes.
int command_run(const RunArguments& arguments, ControlSignals& signals);

}  // namespace vernal
