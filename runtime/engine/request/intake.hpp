// The threads that turn submitted requests into prompts.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/model_engine.hpp"
#include "engine/request/request.hpp"
#include "text/request/request_document.hpp"

namespace vernal {

/// A request as it was submitted.
struct SubmittedRequest {
  std::shared_ptr<Request> request;
  std::shared_ptr<ModelEngine> model;
  std::shared_ptr<const RequestDefaults> defaults;
  std::string document;
  std::vector<TokenId> tokens;
  bool has_tokens = false;  ///< the prompt is `tokens`

  std::size_t num_bytes() const noexcept {
    return document.size() + tokens.size() * sizeof(TokenId);
  }
};

/// Parses a request, renders and tokenises its prompt and checks its length. The first event of the
/// request is then ACCEPTED, and the engine gets it, or ERROR. Any thread.
class Intake {
 public:
  ///   max_bytes   of the submitted requests that wait or are being worked on, together
  /// Errors      std::bad_alloc, std::system_error: the threads cannot be started
  Intake(std::size_t num_threads, std::size_t max_bytes);
  /// As stop().
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  /// Queues a request. False: the requests that wait are too large together, and nothing happened.
  bool submit(SubmittedRequest submitted);
  /// Moves a request that waits to the front, so that it can end.
  void hurry(const Request& request);
  /// Ends the requests that wait with UNAVAILABLE, and joins the threads. Allocates nothing.
  void stop() noexcept;

 private:
  void run();
  /// The oldest request that waits. False: none does.
  bool take_waiting(SubmittedRequest& out) noexcept;

  const std::size_t max_bytes_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::deque<SubmittedRequest> waiting_;
  std::size_t num_bytes_ = 0;
  bool must_stop_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace vernal
