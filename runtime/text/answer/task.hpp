// Coroutines that read an answer: straight-line code that waits wherever the text ends for now.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace vernal {

/// What a promise of any Task has. A task that waits for another hands the control back to the loop
/// that resumes `*current`, so the depth of the machine's stack does not grow with the text.
struct TaskPromiseBase {
  struct Return {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> ended) const noexcept {
      *ended.promise().current = ended.promise().parent;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  Return final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }

  std::coroutine_handle<>* current = nullptr;  ///< the coroutine to resume next
  std::coroutine_handle<> parent{};            ///< null: nothing follows
  std::exception_ptr error{};
};

/// A coroutine that gives a T to the task that awaits it. Begins when it is awaited. One thread.
template <class T>
class Task {
 public:
  struct promise_type : TaskPromiseBase {  // NOLINT(readability-identifier-naming): the language's
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    void return_value(T result) { value.emplace(std::move(result)); }

    std::optional<T> value{};
  };

  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> parent) noexcept {
    start(*parent.promise().current, parent);
  }
  T await_resume() {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
    return std::move(*handle_.promise().value);
  }

  /// Makes this the coroutine that `current` resumes next; behind it `parent`, which may be null.
  void start(std::coroutine_handle<>& current, std::coroutine_handle<> parent = {}) noexcept {
    handle_.promise().current = &current;
    handle_.promise().parent = parent;
    current = handle_;
  }
  /// The exception that ended it, or null.
  std::exception_ptr error() const noexcept { return handle_.promise().error; }

 private:
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace vernal
