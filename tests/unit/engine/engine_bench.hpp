// An engine with a scripted model, and a client that reads whole answers.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "observe/log.hpp"
#include "support/scripted_step_model.hpp"

namespace vernal::test {

struct BenchOptions {
  EngineOptions engine;
  RequestLimits limits;
  std::uint64_t context_length = 2000;
  std::uint32_t slots = 4;
  std::uint32_t max_tokens_per_step = 132;
  std::chrono::milliseconds max_step_time{0};
  std::function<std::chrono::steady_clock::time_point()> step_clock =
      std::chrono::steady_clock::now;
  std::uint32_t max_checkpoints = 0;
  Pooling pooling = Pooling::kNone;
  std::uint32_t rows_per_step = 0;
  Speculation speculation;
  std::string chat_template;  ///< empty: none
};

/// All events of a request, and what they say.
struct Answer {
  std::vector<Event> events;
  Event terminal;
  std::vector<std::string> texts = std::vector<std::string>(8);  ///< by choice
  std::vector<std::uint32_t> reasons = std::vector<std::uint32_t>(8);
  std::vector<std::string> stops = std::vector<std::string>(8);
  std::vector<std::vector<TokenId>> tokens = std::vector<std::vector<TokenId>>(8);
  std::vector<std::vector<TokenLogprob>> logprobs = std::vector<std::vector<TokenLogprob>>(8);

  bool is_finished() const { return terminal.type == VERNAL_EVENT_FINISHED; }
  const Event* find(std::uint32_t type) const {
    for (const Event& event : events) {
      if (event.type == type) return &event;
    }
    return nullptr;
  }
};

class EngineBench {
 public:
  explicit EngineBench(Predict predict = predict_letters, BenchOptions options = {},
                       std::shared_ptr<StepModelControl> control = nullptr)
      : control_(control ? std::move(control) : std::make_shared<StepModelControl>()),
        log_(LogLevel::kInfo, log_text_),
        engine_(std::make_unique<Engine>(options.engine, log_)) {
    control_->predict = std::move(predict);
    ModelDescription description;
    description.id = "m";
    engine_->declare_model(description, {});
    engine_->start_model(make_model(options));
  }

  ~EngineBench() {
    control_->open_gate();
    stop();
    EXPECT_EQ(control_->num_live_sequences, 0U) << "sequences were left behind";
  }

  LoadedModel make_model(const BenchOptions& options) {
    LoadedModel model;
    model.limits = options.limits;
    model.id = "m";
    model.tokenizer = make_byte_tokenizer();
    if (!options.chat_template.empty()) {
      model.chat_template =
          std::make_shared<const ChatTemplate>(ChatTemplate::parse(options.chat_template));
    }
    model.vocabulary_size = kByteVocabularySize;
    model.context_length = options.context_length;
    model.slots = options.slots;
    model.max_tokens_per_step = options.max_tokens_per_step;
    model.max_step_time = options.max_step_time;
    model.step_clock = options.step_clock;
    model.max_checkpoints = options.max_checkpoints;
    model.pooling = options.pooling;
    model.embedding_size = options.pooling == Pooling::kNone ? 0 : 2;
    model.rows_per_step = options.rows_per_step;
    model.speculation = options.speculation;
    model.hidden_size = 2;
    model.steps = std::make_unique<ScriptedStepModel>(control_);
    return model;
  }

  Engine& engine() { return *engine_; }
  StepModelControl& control() { return *control_; }
  std::string log_text() const { return log_text_.str(); }
  void stop() {
    if (engine_) {
      EXPECT_TRUE(engine_->stop(std::chrono::seconds(30)));
      engine_.reset();
    }
  }

  RequestId submit(std::string_view document, std::function<void(RequestId)> on_ready = {}) {
    SubmitArguments arguments;
    arguments.model = "m";
    arguments.document = document;
    arguments.on_ready = std::move(on_ready);
    return engine_->submit(arguments);
  }

  /// The next event. Fails the test if none comes for a long time.
  Event next(RequestId id) {
    std::optional<Event> event = engine_->wait(id, std::chrono::seconds(60));
    EXPECT_TRUE(event.has_value()) << "no event came";
    Event missing;
    missing.type = VERNAL_EVENT_ERROR;
    return event.value_or(missing);
  }

  /// Reads events up to the last one.
  Answer read(RequestId id) {
    Answer answer;
    while (true) {
      Event event = next(id);
      answer.events.push_back(event);
      if (event.type == VERNAL_EVENT_DELTA) {
        answer.texts[event.choice] += event.text;
        auto& tokens = answer.tokens[event.choice];
        tokens.insert(tokens.end(), event.tokens.begin(), event.tokens.end());
        auto& logprobs = answer.logprobs[event.choice];
        logprobs.insert(logprobs.end(), event.logprobs.begin(), event.logprobs.end());
      } else if (event.type == VERNAL_EVENT_CHOICE_FINISHED) {
        answer.reasons[event.choice] = event.finish_reason;
        answer.stops[event.choice] = event.text;
      } else if (event.is_terminal()) {
        answer.terminal = event;
        EXPECT_FALSE(engine_->poll(id)) << "an event came after the terminal one";
        return answer;
      }
    }
  }

  Answer run(std::string_view document) {
    const RequestId id = submit(document);
    Answer answer = read(id);
    engine_->release(id);
    return answer;
  }

  double metric(std::string_view name, std::string_view labels = "model=\"m\"") const {
    double value = -1.0;
    engine_->visit_metrics([&](const MetricSample& metric) {
      if (metric.name == name && metric.labels == labels) value = metric.value;
    });
    return value;
  }

  /// Waits until `condition` holds. Fails the test if that takes too long.
  template <class Condition>
  void eventually(Condition condition) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "a condition was never met";
      std::this_thread::yield();
    }
  }

 private:
  std::shared_ptr<StepModelControl> control_;
  std::ostringstream log_text_;
  Log log_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace vernal::test
