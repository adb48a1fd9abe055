#include "runner/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace vernal::acceptance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostErrors = 8000;  // bytes of standard error that are kept

std::vector<char*> pointers_of(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Starts a program in a process group of its own. Descriptors that are not negative become its
/// standard output and standard error.
pid_t start(const ChildCommand& command, int output, int errors) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> variables;
  for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers_of(arguments);
  const std::vector<char*> envp = pointers_of(variables);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (pid > 0) return pid;
  // Only calls that are safe after fork.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing goes on if this process is ended
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
  ::dup2(errors >= 0 ? errors : nothing, STDERR_FILENO);
  if (::chdir(command.folder.c_str()) == 0) ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

/// A pipe whose ends the programs that are started do not inherit.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    ::close(ends_[0]);
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Appends what there is to `text`. False: the other end is closed.
bool read_some(int descriptor, std::string& text) {
  std::array<char, 4096> bytes;
  const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  text.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void take_lines(std::string& text, const OnLine& on_line) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    on_line(std::string_view(text).substr(begin, end - begin));
  }
  text.erase(0, begin);
}

/// Reads both pipes until they are closed or the time is over. False: it is over.
bool read_until_closed(const Pipe& output, const Pipe& errors, Clock::time_point end,
                       const OnLine& on_line, std::string& error_text) {
  std::string lines;
  std::array<pollfd, 2> waiting{pollfd{output.reading(), POLLIN, 0},
                                pollfd{errors.reading(), POLLIN, 0}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (Clock::now() >= end) return false;
    ::poll(waiting.data(), waiting.size(), 50);
    if (waiting[0].revents != 0) {
      if (!read_some(waiting[0].fd, lines)) waiting[0].fd = -1;
      take_lines(lines, on_line);
    }
    if (waiting[1].revents != 0) {
      if (!read_some(waiting[1].fd, error_text)) waiting[1].fd = -1;
      if (error_text.size() > 2 * kMostErrors) error_text.erase(0, error_text.size() - kMostErrors);
    }
  }
  if (!lines.empty()) on_line(lines);
  return true;
}

}  // namespace

ChildResult run_child(const ChildCommand& command, std::chrono::duration<double> limit,
                      const OnLine& on_line) {
  ChildResult result;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(limit);
  Pipe output;
  Pipe errors;
  const pid_t pid = start(command, output.writing(), errors.writing());
  output.close_writing();
  errors.close_writing();
  result.is_cut = !read_until_closed(output, errors, end, on_line, result.errors);
  if (result.is_cut) ::kill(-pid, SIGKILL);
  int raw = 0;
  while (::waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
  }
  result.status = status_of(raw);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

BackgroundChild::BackgroundChild(const ChildCommand& command,
                                 const std::filesystem::path& error_file)
    : begin_(Clock::now()) {
  const int errors = ::open(error_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  pid_ = start(command, -1, errors);
  if (errors >= 0) ::close(errors);
}

BackgroundChild::~BackgroundChild() {
  if (status_) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<int> BackgroundChild::wait(std::chrono::duration<double> limit) {
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(limit);
  while (!status_) {
    int raw = 0;
    if (::waitpid(pid_, &raw, WNOHANG) == pid_) {
      status_ = status_of(raw);
      end_ = Clock::now();
    } else if (Clock::now() >= end) {
      break;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return status_;
}

double BackgroundChild::seconds() const {
  return std::chrono::duration<double>((status_ ? end_ : Clock::now()) - begin_).count();
}

}  // namespace vernal::acceptance
