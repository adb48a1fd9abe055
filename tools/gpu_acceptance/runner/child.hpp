// Programs that the runner starts.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace vernal::acceptance {

struct ChildCommand {
  std::vector<std::string> arguments;              ///< the first is the program's path
  std::map<std::string, std::string> environment;  ///< all of it
  std::filesystem::path folder;                    ///< that it starts in
};

struct ChildResult {
  int status = 0;       ///< exit status; 128 + the signal that ended it
  bool is_cut = false;  ///< it was ended because its time was up
  double seconds = 0;
  std::string errors;  ///< the end of its standard error
};

/// Is told of each line of standard output, without its end.
using OnLine = std::function<void(std::string_view line)>;

/// Runs a program to its end, or ends it with everything it started when `limit` is over.
/// Errors  std::runtime_error: it cannot be started
ChildResult run_child(const ChildCommand& command, std::chrono::duration<double> limit,
                      const OnLine& on_line);

/// A program that runs beside. Its output is thrown away but for the end of standard error, which
/// goes to a file.
class BackgroundChild {
 public:
  BackgroundChild(const ChildCommand& command, const std::filesystem::path& error_file);
  ~BackgroundChild();
  BackgroundChild(const BackgroundChild&) = delete;
  BackgroundChild& operator=(const BackgroundChild&) = delete;

  /// Its exit status; nothing if it still runs after `limit`, and then it goes on.
  std::optional<int> wait(std::chrono::duration<double> limit);
  /// From its start to its end, or to now.
  double seconds() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace vernal::acceptance
