// Our side of speculation.py: an engine with every model of a deployment, that answers one request after
// another and says how fast.
//
//   speculation_worker DEPLOYMENT.toml [CHANCE]
//
// With CHANCE, from 0 to 1, guesses come true that often (forced_acceptance.hpp). The first line of output
// is a JSON object with what the deployment's backends compute with. Then each line of input is a request
// document (sdk/spec/request.md) with one member more, "model", and is answered with a line:
//
//   tokens, seconds     generated behind the first one, and the time that took
//   drafted, accepted   guesses that steps computed, and those of them that came true
//   judged, came_true   with CHANCE: guesses whose turn came, and those made to come true
//   text
#include <boost/json.hpp>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "command/bench/machine.hpp"
#include "engine/engine.hpp"
#include "loading/open_deployment.hpp"
#include "serving/model_host.hpp"
#include "speculation/forced_acceptance.hpp"
#include "vernal/error.hpp"

namespace vernal::speculation {
namespace {

void start_models(OpenDeployment& open, std::optional<double> chance, GuessCounts& counts,
                  Engine& engine) {
  declare_models(open, engine);
  for (const auto& model : open.models()) {
    LoadedModel loaded = model->load([](std::uint64_t, std::uint64_t) { return true; });
    if (chance) {
      loaded.steps = std::make_unique<ForcedAcceptance>(std::move(loaded.steps), *chance, counts);
    }
    engine.start_model(std::move(loaded));
  }
}

std::string description(const OpenDeployment& open) {
  boost::json::array backends;
  for (const OpenDeployment::BackendText& backend : open.describe_backends()) {
    backends.emplace_back(backend.text);
  }
  return boost::json::serialize(boost::json::object{{"processor", describe_machine().processor},
                                                    {"backends", std::move(backends)}});
}

std::string answer(Engine& engine, const std::string& line, GuessCounts& counts) {
  boost::json::object document = boost::json::parse(line).as_object();
  const std::string model(document.at("model").as_string());
  document.erase("model");
  const std::string text = boost::json::serialize(document);
  SubmitArguments submit;
  submit.model = model;
  submit.document = text;
  counts = {};
  const RequestId request = engine.submit(submit);
  std::string said;
  for (;;) {
    const auto event = engine.wait(request, std::chrono::seconds(60));
    if (!event) continue;
    if (event->type == VERNAL_EVENT_ERROR) throw Error(event->code, event->text);
    if (event->type == VERNAL_EVENT_DELTA) said += event->text;
    if (event->type != VERNAL_EVENT_FINISHED) continue;
    engine.release(request);
    return boost::json::serialize(boost::json::object{
        {"tokens", event->completion_tokens == 0 ? 0 : event->completion_tokens - 1},
        {"seconds", static_cast<double>(event->decode_us) * 1e-6},
        {"drafted", event->draft_tokens},
        {"accepted", event->accepted_tokens},
        {"judged", counts.judged},
        {"came_true", counts.accepted},
        {"text", said}});
  }
}

int serve(const char* file, std::optional<double> chance) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(file, log);
  open.prepare(false);
  GuessCounts counts;
  Engine engine({}, log);
  start_models(open, chance, counts, engine);
  std::cout << description(open) << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(engine, line, counts) << std::endl;
  }
  return engine.stop(std::chrono::seconds(10)) ? 0 : 1;
}

std::optional<double> parse_chance(std::string_view text) {
  std::size_t end = 0;
  const double chance = std::stod(std::string(text), &end);
  if (end != text.size() || !(chance >= 0.0 && chance <= 1.0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "expected a chance from 0 to 1");
  }
  return chance;
}

}  // namespace
}  // namespace vernal::speculation

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: speculation_worker DEPLOYMENT.toml [CHANCE]\n";
    return 2;
  }
  try {
    return vernal::speculation::serve(
        argv[1], argc == 3 ? vernal::speculation::parse_chance(argv[2]) : std::nullopt);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
