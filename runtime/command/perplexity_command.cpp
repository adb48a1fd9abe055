#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/kv_quality.hpp"
#include "command/text_scores.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

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

/// Losses of tokens, in nats.
struct Losses {
  double count = 0;
  double sum = 0;
  double squares = 0;

  void add(double loss) {
    count += 1;
    sum += loss;
    squares += loss * loss;
  }
  double perplexity() const { return std::exp(sum / count); }
  /// Standard error of the perplexity, as if the losses were independent.
  double error() const {
    const double mean = sum / count;
    const double variance = std::max(squares / count - mean * mean, 0.0);
    return perplexity() * std::sqrt(variance / count);
  }
};

/// Window after window; of each the second half, so that every token has context.
Losses score_windows(TextModel& model, std::span<const TokenId> tokens, std::uint64_t window) {
  Losses losses;
  const std::uint64_t first = window / 2;
  for (std::uint64_t start = 0; start + window <= tokens.size(); start += window) {
    const auto text = tokens.subspan(start, window);
    model.score(text, first, window - first - 1, [&](std::uint64_t i, auto logits) {
      const auto next = static_cast<std::size_t>(text[first + i + 1]);
      losses.add(log_sum_of(logits) - static_cast<double>(logits[next]));
    });
  }
  return losses;
}

int perplexity(const PerplexityArguments& arguments) {
  const std::uint64_t window = parse_token_count(arguments.window);
  constexpr std::uint64_t kLeastWindow = 8;
  if (window < kLeastWindow) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("--window: expected at least {} tokens, found {}", kLeastWindow, window));
  }
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  log.set_level(LogLevel::kWarning);
  open.price_models();
  ModelSettings settings = open.model(arguments.model).settings();
  if (!arguments.kv.empty()) settings.kv_cache = parse_kv_format(arguments.kv);
  if (arguments.no_rotate) settings.kv_cache.rotate = false;
  TextModel model(open, settings, window);
  std::vector<TokenId> tokens = read_text_tokens(arguments.text, *model.loaded().tokenizer);
  if (tokens.size() < window) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("--text {}: expected at least one window of {} tokens, found {}",
                            arguments.text.string(), window, tokens.size()));
  }
  if (arguments.tokens != 0) tokens.resize(std::clamp(arguments.tokens, window, tokens.size()));
  const Losses losses = score_windows(model, tokens, window);
  const std::string format = kv_format_text(settings.kv_cache);
  const bool is_rotated = model.is_rotated();
  if (arguments.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{
                           {"model", settings.path.filename().string()},
                           {"kv", format},
                           {"rotate", is_rotated},
                           {"window", window},
                           {"scored_tokens", static_cast<std::uint64_t>(losses.count)},
                           {"perplexity", losses.perplexity()},
                           {"standard_error", losses.error()}}));
  } else {
    fmt::print("{}: perplexity {:.4f} ± {:.4f} over {:.0f} tokens, windows of {}, KV {}{}\n",
               settings.path.filename().string(), losses.perplexity(), losses.error(), losses.count,
               window, format, is_rotated ? ", rotated" : "");
  }
  return 0;
}

}  // namespace

void add_perplexity_command(CommandLine& line) {
  const auto arguments = std::make_shared<PerplexityArguments>();
  CLI::App& command = line.add("perplexity", "Measure the perplexity of a model on a text",
                               [arguments] { return perplexity(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option("-m,--model", arguments->model, "model; default: the first");
  command.add_option("--text", arguments->text, "text file")->required();
  command.add_option("--kv", arguments->kv,
                     "KV format, such as q8_0 or KEYS/VALUES; default: the file's");
  command.add_flag("--no-rotate", arguments->no_rotate,
                   "store quantised keys and values without rotation");
  command
      .add_option("--window", arguments->window,
                  "tokens of a window, of which the second half is scored: 512, 2K")
      ->capture_default_str();
  command.add_option("--tokens", arguments->tokens, "tokens of the text; default: all");
  command.add_flag("--json", arguments->json, "print JSON");
}

}  // namespace vernal
