// The command line: one subcommand, its arguments, its function.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>

#include "command/commands.hpp"
#include "serving/control_signals.hpp"
#include "vernal/error.hpp"

namespace {

constexpr int kUsageError = 2;

/// Writes the one message of a command that failed. Allocates nothing, because memory may be what it
/// lacked.
int report(const char* what) noexcept {
  std::fflush(stdout);
  std::fputs("vernal: ", stderr);
  std::fputs(what, stderr);
  std::fputc('\n', stderr);
  return 1;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* help) {
  CLI::App* command = app.add_subcommand(name, help);
  command->fallthrough(false);
  return command;
}

template <class Path>
void add_deployment(CLI::App* command, Path& file) {
  command->add_option("FILE", file, "deployment file (TOML)")->required();
}

}  // namespace

// One linear list of commands reads better than its parts.
// NOLINTNEXTLINE(readability-function-size)
int main(int argc, char** argv) try {
  CLI::App app(
      "vernal runs large language models on the machine you own.\n"
      "One TOML file says which model, which backend, which frontends: docs/deployment-file.md");
  app.set_version_flag("--version",
                       "vernal " VERNAL_VERSION ", plugin interface " VERNAL_INTERFACE_VERSION);
  app.require_subcommand(1);

  vernal::ServeArguments serve;
  CLI::App* serve_command = add_command(app, "serve", "Load the models and serve until SIGTERM");
  add_deployment(serve_command, serve.file);

  vernal::CheckArguments check;
  CLI::App* check_command =
      add_command(app, "check", "Validate a deployment without loading weights");
  add_deployment(check_command, check.file);

  vernal::PlanArguments plan;
  CLI::App* plan_command =
      add_command(app, "plan", "Price weights, KV cache and scratch from file headers");
  add_deployment(plan_command, plan.file);
  plan_command->add_flag("--json", plan.json, "print JSON");

  vernal::RunArguments run;
  CLI::App* run_command = add_command(app, "run", "Answer one prompt on standard output");
  add_deployment(run_command, run.file);
  run_command->add_option("-p,--prompt", run.prompt, "the prompt")->required();
  run_command->add_option("-m,--model", run.model, "model or profile; default: the first");
  run_command->add_option("-n,--max-tokens", run.max_tokens, "most tokens of the answer");
  run_command->add_option("-t,--temperature", run.temperature, "0 takes the likeliest token");
  run_command->add_option("--seed", run.seed, "seed of the random numbers");
  run_command->add_flag("--raw", run.raw, "continue the text, without the chat template");

  vernal::ServeArguments chat;
  chat.only_console = true;
  CLI::App* chat_command =
      add_command(app, "chat", "Talk with a model of the deployment at this console");
  add_deployment(chat_command, chat.file);
  chat_command->add_option("-m,--model", chat.model, "model or profile; default: the first");

  vernal::BenchArguments bench;
  bench.depths = {0, 512, 4096, 8192, 16384};
  CLI::App* bench_command =
      add_command(app, "bench", "Measure prefill and decode speed over depths");
  add_deployment(bench_command, bench.file);
  bench_command->add_option("-m,--model", bench.model, "model; default: the first");
  bench_command->add_option("-d,--depths", bench.depths, "tokens in the context before measuring")
      ->delimiter(',')
      ->capture_default_str();
  bench_command->add_option("--prefill", bench.prefill_tokens, "tokens of the measured prefill")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  bench_command->add_option("--decode", bench.decode_tokens, "decode steps measured")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  bench_command
      ->add_option("-r,--repetitions", bench.repetitions, "the median of so many is reported")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  bench_command->add_flag("--json", bench.json, "print JSON");

  vernal::PerplexityArguments perplexity;
  CLI::App* perplexity_command =
      add_command(app, "perplexity", "Measure the perplexity of a model on a text");
  add_deployment(perplexity_command, perplexity.file);
  perplexity_command->add_option("-m,--model", perplexity.model, "model; default: the first");
  perplexity_command->add_option("--text", perplexity.text, "text file")->required();
  perplexity_command->add_option("--kv", perplexity.kv,
                                 "KV format, such as q8_0 or KEYS/VALUES; default: the file's");
  perplexity_command->add_flag("--no-rotate", perplexity.no_rotate,
                               "store quantised keys and values without rotation");
  perplexity_command
      ->add_option("--window", perplexity.window,
                   "tokens of a window, of which the second half is scored: 512, 2K")
      ->capture_default_str();
  perplexity_command->add_option("--tokens", perplexity.tokens, "tokens of the text; default: all");
  perplexity_command->add_flag("--json", perplexity.json, "print JSON");

  vernal::KvcheckArguments kvcheck;
  kvcheck.depths = {"2K", "8K"};
  kvcheck.formats = {"q8_0", "q8_0/q4_0", "q4_0"};
  CLI::App* kvcheck_command =
      add_command(app, "kvcheck", "Compare KV cache formats with f16 on a text, and recommend one");
  add_deployment(kvcheck_command, kvcheck.file);
  kvcheck_command->add_option("-m,--model", kvcheck.model, "model; default: the first");
  kvcheck_command->add_option("--text", kvcheck.text, "text file like those the model will see")
      ->required();
  kvcheck_command
      ->add_option("-d,--depth", kvcheck.depths, "tokens before the first that is scored: 512, 2K")
      ->delimiter(',')
      ->capture_default_str();
  kvcheck_command
      ->add_option("--kv", kvcheck.formats,
                   "formats or KEYS/VALUES, each measured with rotation and without")
      ->delimiter(',')
      ->capture_default_str();
  kvcheck_command->add_option("--tokens", kvcheck.tokens, "tokens scored after each depth")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  kvcheck_command->add_flag("--json", kvcheck.json, "print JSON");

  vernal::InspectArguments inspect;
  CLI::App* inspect_command =
      add_command(app, "inspect", "Show metadata, tensors or module of a GGUF file");
  inspect_command->add_option("MODEL", inspect.file, "model file (GGUF)")->required();
  inspect_command->add_flag("--tensors", inspect.tensors, "list every tensor");
  inspect_command->add_flag("--module", inspect.module, "print the module its architecture builds");
  inspect_command->add_option("--plugins", inspect.plugin_paths,
                              "folders with plugins, for --module");

  vernal::MakeModelArguments make_model;
  CLI::App* make_model_command =
      add_command(app, "make-model", "Write a model file of a given shape with random weights");
  make_model_command->add_option("SHAPE", make_model.shape, "shape file (TOML)")->required();
  make_model_command->add_option("OUT", make_model.output, "model file to write (GGUF)")
      ->required();
  make_model_command->add_option("--seed", make_model.seed, "instead of the shape's seed")
      ->check(CLI::PositiveNumber);

  vernal::PluginsArguments plugins;
  CLI::App* plugins_command = add_command(app, "plugins", "List plugins, and why some are refused");
  plugins_command->add_option("DIR", plugins.folders, "folders; default: the installed one");
  plugins_command->add_option("--schema", plugins.schema,
                              "print the configuration keys of one plugin");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (*check_command) return vernal::command_check(check);
  if (*plan_command) return vernal::command_plan(plan);
  if (*bench_command) return vernal::command_bench(bench);
  if (*perplexity_command) return vernal::command_perplexity(perplexity);
  if (*kvcheck_command) return vernal::command_kvcheck(kvcheck);
  if (*inspect_command) return vernal::command_inspect(inspect);
  if (*make_model_command) return vernal::command_make_model(make_model);
  if (*plugins_command) return vernal::command_plugins(plugins);
  vernal::ControlSignals signals;
  if (*run_command) return vernal::command_run(run, signals);
  return vernal::command_serve(*chat_command ? chat : serve, signals);
} catch (const std::bad_alloc&) {
  return report("out of memory");
} catch (const std::exception& error) {
  return report(error.what());
}
