// An event loop and the thread that runs it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <thread>

#include "openai_http/http/asio.hpp"

namespace vernal::openai_http {

/// What belongs to one loop runs on one thread, so it needs no strand. Strands would not do: when
/// there is no memory to schedule one, a strand of Boost 1.81 stays locked for good, and each
/// operation on it allocates where nothing may be thrown.
///
/// An error that Boost.Asio lets out of the loop, which only a lack of memory makes it, ends what it
/// was about and nothing else. A coroutine is dropped where it waits: its objects are destroyed on
/// the loop's thread, and nobody is told. So the end of a coroutine is told by destructors.
class EventLoop {
 public:
  ///   on_error   called on the loop's thread for each of those errors; must not throw
  explicit EventLoop(std::function<void(const std::exception&)> on_error);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  /// Stops the loop. What waits in it is destroyed.
  ~EventLoop();

  net::io_context& context() noexcept { return context_; }
  net::any_io_executor executor() { return context_.get_executor(); }

  /// Starts the thread, which runs until stop().
  void start();
  /// Ends the thread after what it is doing, whatever still waits in the loop, and joins it. May be
  /// called twice. Not on the loop's thread.
  void stop() noexcept;

 private:
  void run() noexcept;

  std::function<void(const std::exception&)> on_error_;
  net::io_context context_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace vernal::openai_http
