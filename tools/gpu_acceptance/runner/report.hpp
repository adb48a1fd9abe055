// The report: one JSON document, whole in its file after every step.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <string_view>

namespace vernal::acceptance {

enum class Outcome { kPassed, kFailed, kCut, kSkipped };
std::string_view outcome_name(Outcome outcome);

/// What one step found.
struct StepResult {
  Outcome outcome = Outcome::kPassed;
  std::string reason;           ///< in one sentence, of everything but kPassed
  boost::json::object details;  ///< go into the step's object
};

class Report {
 public:
  /// Errors  std::runtime_error: the file cannot be written
  explicit Report(std::filesystem::path file);

  /// A member of the whole.
  void set(std::string_view name, boost::json::value value);
  void add_step(std::string_view name, double seconds, const StepResult& result);
  /// No further step comes.
  ///   is_whole   whether every step was to run, on a real device
  void finish(double seconds, bool is_whole);

  bool has_failed() const { return has_failed_; }

 private:
  void write() const;

  std::filesystem::path file_;
  boost::json::object document_;
  bool has_failed_ = false;
  bool was_cut_ = false;
};

}  // namespace vernal::acceptance
