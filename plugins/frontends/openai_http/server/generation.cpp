#include "openai_http/server/generation.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "openai_http/openai/model_listing.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

/// Bytes of the answer that are gathered from waiting events before they are written.
constexpr std::size_t kFlushBytes = 16 * 1024;

/// The work of run_generation.
class Generation {
 public:
  Generation(Exchange& exchange, const GenerationRequest& request, Answer& answer)
      : exchange_(exchange), request_(request), answer_(answer) {}

  net::awaitable<void> run() {
    const Exchange::PeerWatch watch(exchange_);
    submit();
    co_await wait_until_accepted();
    if (exchange_.is_broken()) co_return abandon();
    if (request_.is_streamed) {
      co_await stream();
    } else {
      co_await collect();
    }
    if (exchange_.is_broken()) abandon();
  }

 private:
  /// One prompt in the engine. Destroying it releases the request, which cancels it.
  struct Part {
    EngineRequest request;
    bool is_accepted = false;
    bool is_finished = false;
  };

  static void on_ready(void* user, vernal_request_id) { static_cast<Wakeup*>(user)->notify(); }

  /// Prompts that are in the engine at the same time. More wait here, so that one request with
  /// hundreds of inputs does not fill the queue.
  static constexpr std::size_t kMostAtOnce = 64;

  void submit() {
    while (parts_.size() < request_.prompts.size() && num_running() < kMostAtOnce) submit_next();
  }

  std::size_t num_running() const {
    return static_cast<std::size_t>(
        std::count_if(parts_.begin(), parts_.end(), [](const Part& p) { return !p.is_finished; }));
  }

  void submit_next() {
    const EnginePrompt& prompt = request_.prompts[parts_.size()];
    SubmitArgs args;
    args.model = request_.model;
    args.request_json = prompt.document;
    args.tokens = prompt.tokens;
    args.on_ready = on_ready;
    args.user = exchange_.wakeup().get();
    Submission sent = exchange_.service().engine.submit(args);
    if (!sent.accepted()) throw RequestRefused(refusal_of(sent));
    parts_.push_back({std::move(sent.request)});
    exchange_.record().add_prompt();
  }

  /// A status alone does not tell a model that loads from one that has failed.
  ApiError refusal_of(const Submission& sent) const {
    const auto is_loading = [&](const ModelInfo& info) {
      return info.id == request_.model && info.state == VERNAL_MODEL_LOADING;
    };
    if (sent.status == VERNAL_UNAVAILABLE) {
      const std::vector<ModelInfo> models = exchange_.service().engine.models();
      if (std::any_of(models.begin(), models.end(), is_loading)) return model_loading(sent.reason);
    }
    return error_of_status(sent.status, sent.reason, request_.model);
  }

  net::awaitable<void> wait_until_accepted() {
    while (!exchange_.is_broken() && !take_acceptances()) {
      cancel_if_stopping();
      co_await exchange_.wakeup()->wait_until(Clock::now() + std::chrono::seconds(1));
    }
  }

  /// Polls the prompts that are not accepted yet. True if all are now. Throws RequestRefused if one
  /// is refused.
  bool take_acceptances() {
    bool all = true;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      if (part.is_accepted) continue;
      vernal_event event{};
      part.is_accepted = part.request.poll(event);
      if (part.is_accepted) exchange_.record().on_event(i, event);
      if (part.is_accepted && event.type == VERNAL_EVENT_ERROR) refuse(event);
      if (part.is_accepted) answer_.accept(event);
      all = all && part.is_accepted;
    }
    return all;
  }

  [[noreturn]] void refuse(const vernal_event& event) const {
    const bool by_us = event.code == VERNAL_CANCELLED && exchange_.service().is_stopping;
    throw RequestRefused(
        by_us ? draining() : error_of_event(event, exchange_.dialect(), request_.format_member));
  }

  net::awaitable<void> stream() {
    co_await exchange_.begin_stream();
    std::optional<ApiError> failure;
    try {
      answer_.begin(pending_);
      co_await deliver();
      answer_.end(pending_);
    } catch (const std::exception&) {
      failure = current_error(request_.model);
    }
    if (failure) {
      exchange_.close_after();
      exchange_.record().error = failure->code;
      answer_.fail(*failure, pending_);
    }
    co_await flush();
    co_await exchange_.end_stream();
  }

  net::awaitable<void> collect() {
    answer_.begin(pending_);
    co_await deliver();
    if (exchange_.is_broken()) co_return;
    answer_.end(pending_);
    Response response;
    response.body = std::move(pending_);
    co_await exchange_.send(std::move(response));
  }

  /// Hands events to the answer until every prompt has finished or the client has left.
  net::awaitable<void> deliver() {
    const Milliseconds interval = exchange_.service().settings.keep_alive_interval;
    co_await flush();
    while (!exchange_.is_broken()) {
      const bool found = take_events();
      if (request_.is_streamed) co_await flush();
      if (all_finished()) co_return;
      if (found) continue;
      cancel_if_stopping();
      const TimePoint next_sign = last_output_ + interval;
      co_await exchange_.wakeup()->wait_until(next_sign);
      if (Clock::now() >= next_sign) {
        answer_.keep_alive(pending_);
        last_output_ = Clock::now();
      }
    }
  }

  /// Hands the events that wait to the answer, until it has enough to write. True if there was one.
  /// Throws RequestRefused for an ERROR event.
  bool take_events() {
    bool found = false;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      vernal_event event{};
      while (!parts_[i].is_finished && pending_.size() < kFlushBytes &&
             parts_[i].request.poll(event)) {
        found = true;
        if (event.type == VERNAL_EVENT_ERROR) refuse(event);
        exchange_.record().on_event(i, event);
        answer_.on_event(i, event, pending_);
        parts_[i].is_finished = event.type == VERNAL_EVENT_FINISHED;
        if (parts_[i].is_finished) parts_[i].request.release();
      }
    }
    if (found) submit();
    return found;
  }

  bool all_finished() const {
    return parts_.size() == request_.prompts.size() && num_running() == 0;
  }

  net::awaitable<void> flush() {
    if (pending_.empty()) co_return;
    co_await exchange_.write_stream(pending_);
    pending_.clear();
    last_output_ = Clock::now();
  }

  void cancel_if_stopping() {
    if (!exchange_.service().is_stopping || is_cancelled_) return;
    is_cancelled_ = true;
    for (const Part& part : parts_) part.request.cancel("the server stops");
  }

  void abandon() {
    for (const Part& part : parts_) part.request.cancel("the client left");
    parts_.clear();
    ++exchange_.service().counters.clients_gone;
  }

  Exchange& exchange_;
  const GenerationRequest& request_;
  Answer& answer_;
  std::vector<Part> parts_;
  std::string pending_;  // bytes of the answer that are not sent yet
  TimePoint last_output_ = Clock::now();
  bool is_cancelled_ = false;
};

}  // namespace

std::string resolve_model(const HttpService& service, const std::string& model) {
  const std::vector<ModelInfo> models = service.models();
  const ModelInfo* const meant = model.empty() ? nullptr : find_model(models, model);
  if (meant != nullptr) return meant->id;
  const std::vector<ModelInfo> named = without_patterns(models);
  const bool is_only = model.empty() && named.size() == 1;
  if (is_only || (service.settings.accept_any_model && !named.empty())) return named.front().id;
  if (model.empty()) {
    throw RequestRefused(invalid_value(
        "model", "Invalid value for 'model': expected the name of a model, found nothing."));
  }
  throw RequestRefused(unknown_model(model));
}

net::awaitable<void> run_generation(Exchange& exchange, const GenerationRequest& request,
                                    Answer& answer) {
  Generation generation(exchange, request, answer);
  co_await generation.run();
}

}  // namespace vernal::openai_http
