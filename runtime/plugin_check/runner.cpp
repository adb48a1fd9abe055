#include "plugin_check/runner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>

#include "plugin_check/finding.hpp"
#include "vernal/error.hpp"

namespace vernal::check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxOutputBytes = 4096;  // of a child, kept for the report
// First byte of a report.
constexpr char kPassedMark = 'P';
constexpr char kFindingMark = 'F';
constexpr char kSkippedMark = 'S';

/// A descriptor that is closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {
    if (number < 0) throw Error(VERNAL_RESOURCE_EXHAUSTED, "a descriptor for a test's process");
  }
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

std::string read_all(int descriptor, std::size_t most) {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() < most) {
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  text.resize(std::min(text.size(), most));
  return text;
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// Replaces the child by this program; never returns.
[[noreturn]] void become_test(std::vector<std::string>& arguments, int output) {
  ::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv("/proc/self/exe", pointers.data());
  ::_exit(127);
}

struct Ending {
  bool in_time = true;
  int status = 0;  // of waitpid
};

Ending wait_for(pid_t child, int limit_s) {
  const auto limit = Clock::now() + std::chrono::seconds(limit_s);
  Ending ending;
  while (true) {
    const pid_t ended = ::waitpid(child, &ending.status, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) throw Error(VERNAL_INTERNAL, "a test's process is lost");
    if (Clock::now() > limit) {
      ending.in_time = false;
      ::kill(-child, SIGKILL);
      ::waitpid(child, &ending.status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ::kill(-child, SIGKILL);  // what it left behind
  return ending;
}

/// Outcome and text of a child that ended with `ending` and reported `report`.
void judge(const Ending& ending, const std::string& report, int limit_s, Result& result) {
  result.outcome = Outcome::kFinding;
  const bool has_report = !report.empty();
  const std::string text = has_report ? report.substr(1) : "";
  const std::string when = has_report ? " after the test had ended" : "";
  if (!ending.in_time) {
    result.found =
        fmt::format("expected an answer within {} s, found none: it hangs{}", limit_s, when);
  } else if (WIFSIGNALED(ending.status)) {
    const int signal = WTERMSIG(ending.status);
    result.found =
        fmt::format("the process was ended by signal {} ({}){}", signal, ::strsignal(signal), when);
  } else if (!has_report) {
    result.found = fmt::format("the process exited with status {} in the middle of the test",
                               WEXITSTATUS(ending.status));
  } else if (report[0] == kFindingMark) {
    result.found = text;
  } else if (report[0] == kSkippedMark) {
    result.outcome = Outcome::kSkipped;
    result.found = text;
  } else {
    result.outcome = Outcome::kPassed;
    result.found = text;
  }
}

void apply_waiver(const Options& options, Result& result) {
  for (const auto& [test, reason] : options.waivers) {
    if (test != result.test.name) continue;
    result.reason = reason;
    if (result.outcome == Outcome::kFinding) result.outcome = Outcome::kWaived;
  }
}

struct Report {
  char mark;
  std::string text;
};

Report run_guarded(const Test& test, const Options& options) {
  try {
    test.run(options);
    return {kPassedMark, notes()};
  } catch (const Finding& finding) {
    return {kFindingMark, finding.text()};
  } catch (const Skipped& skipped) {
    return {kSkippedMark, skipped.reason()};
  } catch (const Error& error) {
    return {kFindingMark, fmt::format("{}: {}", status_name(error.code()), error.what())};
  } catch (const std::exception& error) {
    return {kFindingMark, fmt::format("an exception left the plugin: {}", error.what())};
  } catch (...) {
    return {kFindingMark, "an exception of unknown type left the plugin"};
  }
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFinding:
      return "FINDING";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kWaived:
      return "waived";
  }
  return "unknown";
}

Result run_apart(const Test& test, const Options& options,
                 const std::vector<std::string>& arguments) {
  const auto begin = Clock::now();
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw Error(VERNAL_RESOURCE_EXHAUSTED, "a pipe for a test");
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  ::fcntl(read_end.number(), F_SETFD, FD_CLOEXEC);
  const Descriptor output(::memfd_create("output", MFD_CLOEXEC));
  std::vector<std::string> words{"vernal-plugin-check"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(),
               {"--run", std::string(test.name), "--report", std::to_string(write_end.number())});
  const pid_t child = ::fork();
  if (child < 0) throw Error(VERNAL_RESOURCE_EXHAUSTED, "a process for a test");
  if (child == 0) become_test(words, output.number());
  write_end.close();
  const int limit_s = options.limit_s > 0 ? options.limit_s : test.limit_s;
  const Ending ending = wait_for(child, limit_s);
  Result result;
  result.test = test;
  ::fcntl(read_end.number(), F_SETFL, O_NONBLOCK);
  judge(ending, read_all(read_end.number(), std::size_t{1} << 16), limit_s, result);
  ::lseek(output.number(), 0, SEEK_SET);
  result.output = read_all(output.number(), kMaxOutputBytes);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  apply_waiver(options, result);
  return result;
}

int run_here(const Test& test, const Options& options, int report) {
  if (report >= 0) ::fcntl(report, F_SETFD, FD_CLOEXEC);
  const Report made = run_guarded(test, options);
  if (report >= 0) {
    write_all(report, made.mark + made.text);
  } else {
    const char* what = made.mark == kPassedMark    ? "passed"
                       : made.mark == kSkippedMark ? "skipped"
                                                   : "FINDING";
    fmt::print("{}: {} {}\n", test.name, what, made.text);
  }
  return made.mark == kFindingMark ? 1 : 0;
}

}  // namespace vernal::check
