// The commands of `vernal`, a file each: every function adds one to the command line, with its
// arguments. What a command cannot do, it throws as vernal::Error.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vernal {

class CommandLine;

/// Serves until SIGTERM, then drains.
void add_serve_command(CommandLine& line);
/// Serves one console in the place of the deployment's frontends.
void add_chat_command(CommandLine& line);
/// Answers one prompt through the engine, on standard output as it comes.
void add_run_command(CommandLine& line);
/// Validates a deployment file and everything it names that can be checked without loading weights.
void add_check_command(CommandLine& line);
/// Prices every model of a deployment from file headers.
void add_plan_command(CommandLine& line);
/// Measures prefill and decode speed over depths.
void add_bench_command(CommandLine& line);
/// Perplexity of a model on a text.
void add_perplexity_command(CommandLine& line);
/// Compares formats of the KV cache with f16 on a text.
void add_kvcheck_command(CommandLine& line);
/// Prints what a model file holds.
void add_inspect_command(CommandLine& line);
/// Writes a model file of a given shape with random weights.
void add_make_model_command(CommandLine& line);
/// Lists plugins and why some are refused.
void add_plugins_command(CommandLine& line);

/// What `vernal make-model` does.
///   shape    TOML
///   output   GGUF
///   seed     0: the shape's
void make_model(const std::filesystem::path& shape, const std::filesystem::path& output,
                std::uint64_t seed, bool header_only = false);

}  // namespace vernal
