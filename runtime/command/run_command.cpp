#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "serving/server.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct RunArguments {
  std::filesystem::path file;
  std::string model;
  std::string prompt;
  std::uint64_t max_tokens = 0;  // 0: as many as fit
  std::optional<double> temperature;
  std::optional<std::uint64_t> seed;
  bool raw = false;  // the prompt is text to continue, without the chat template
};

// How often a waiting command looks for a signal.
constexpr std::chrono::milliseconds kSignalPoll{50};

std::string request_document(const RunArguments& arguments, bool has_chat_template) {
  boost::json::object document{{"kind", "generate"}};
  if (arguments.raw || !has_chat_template) {
    document["prompt"] = arguments.prompt;
  } else {
    document["messages"] =
        boost::json::array{boost::json::object{{"role", "user"}, {"content", arguments.prompt}}};
  }
  if (arguments.max_tokens != 0) document["max_tokens"] = arguments.max_tokens;
  if (arguments.temperature) document["sampling"] = {{"temperature", *arguments.temperature}};
  if (arguments.seed) document["seed"] = *arguments.seed;
  return boost::json::serialize(document);
}

ModelDescription find_model(const Engine& engine, const std::string& name) {
  for (const ModelDescription& model : engine.models()) {
    if (name.empty() || model.id == name) return model;
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("the deployment has no model or profile \"{}\"", name));
}

int run(const RunArguments& arguments) {
  ControlSignals signals;
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  log.set_level(LogLevel::kWarning);
  Server server(open, signals);
  if (!server.load()) throw Error(VERNAL_CANCELLED, "stopped while loading");
  Engine& engine = server.engine();
  const ModelDescription model = find_model(engine, arguments.model);
  const std::string document = request_document(arguments, model.has_chat_template);
  SubmitArguments submit;
  submit.model = model.id;
  submit.document = document;
  const RequestId request = engine.submit(submit);
  for (;;) {
    const auto signal = signals.wait(std::chrono::milliseconds(0));
    const bool is_survived = signal == ControlEvent::kHangUp && signals.ignores_hang_up();
    if (signal && !is_survived) engine.cancel(request);
    const auto event = engine.wait(request, kSignalPoll);
    if (!event) continue;
    if (event->type == VERNAL_EVENT_DELTA) {
      std::fwrite(event->text.data(), 1, event->text.size(), stdout);
      std::fflush(stdout);
    }
    if (event->type == VERNAL_EVENT_FINISHED) break;
    if (event->type == VERNAL_EVENT_ERROR) throw Error(event->code, event->text);
  }
  std::fputc('\n', stdout);
  engine.release(request);
  return 0;
}

}  // namespace

void add_run_command(CommandLine& line) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App& command = line.add("run", "Answer one prompt on standard output",
                               [arguments] { return run(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option("-p,--prompt", arguments->prompt, "the prompt")->required();
  command.add_option("-m,--model", arguments->model, "model or profile; default: the first");
  command.add_option("-n,--max-tokens", arguments->max_tokens, "most tokens of the answer");
  command.add_option("-t,--temperature", arguments->temperature, "0 takes the likeliest token");
  command.add_option("--seed", arguments->seed, "seed of the random numbers");
  command.add_flag("--raw", arguments->raw, "continue the text, without the chat template");
}

}  // namespace vernal
