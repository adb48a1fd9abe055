#include "runner/report.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace vernal::acceptance {
namespace {

std::string spaces(int depth) { return std::string(static_cast<std::size_t>(depth) * 2, ' '); }

/// Numbers that were measured have six digits: more would be noise.
std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15) {
    return boost::json::serialize(boost::json::value(static_cast<std::int64_t>(number)));
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", number);
  return text.data();
}

bool is_flat(const boost::json::array& array) {
  for (const auto& element : array) {
    if (element.is_structured()) return false;
  }
  return true;
}

/// For people: a line for each member, and for each element of an array that is not flat.
void append(std::string& out, const boost::json::value& value, int depth) {
  if (value.is_double()) {
    out += number_text(value.get_double());
  } else if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    const char* comma = "{\n";
    for (const auto& [name, member] : *object) {
      out += comma + spaces(depth + 1) + boost::json::serialize(boost::json::string(name)) + ": ";
      append(out, member, depth + 1);
      comma = ",\n";
    }
    out += "\n" + spaces(depth) + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    const bool one_line = is_flat(*array);
    const std::string gap = one_line ? " " : "\n" + spaces(depth + 1);
    std::string comma = one_line ? "[" : "[" + gap;
    for (const auto& element : *array) {
      out += comma;
      append(out, element, depth + 1);
      comma = "," + gap;
    }
    out += one_line ? "]" : "\n" + spaces(depth) + "]";
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kCut:
      return "cut";
    case Outcome::kSkipped:
      return "skipped";
  }
  return "?";
}

Report::Report(std::filesystem::path file) : file_(std::move(file)) {
  document_["schema"] = 1;
  document_["result"] = "unfinished";
  document_["steps"] = boost::json::array();
  write();
}

void Report::set(std::string_view name, boost::json::value value) {
  document_[name] = std::move(value);
  write();
}

void Report::add_step(std::string_view name, double seconds, const StepResult& result) {
  boost::json::object step{
      {"name", name}, {"outcome", outcome_name(result.outcome)}, {"seconds", seconds}};
  if (!result.reason.empty()) step["reason"] = result.reason;
  for (const auto& [key, value] : result.details) step[key] = value;
  document_["steps"].as_array().push_back(std::move(step));
  has_failed_ = has_failed_ || result.outcome == Outcome::kFailed;
  was_cut_ = was_cut_ || result.outcome == Outcome::kCut;
  if (has_failed_) document_["result"] = "failed";
  write();
}

// What a machine lacks, such as a checker of memory, is no fault: the step says so.
void Report::finish(double seconds, bool is_whole) {
  const bool is_complete = is_whole && !was_cut_;
  document_["result"] = has_failed_ ? "failed" : is_complete ? "passed" : "incomplete";
  document_["seconds"] = seconds;
  write();
}

// Under another name first, so that the file is whole at any time.
void Report::write() const {
  std::string text;
  append(text, document_, 0);
  const std::filesystem::path partial = file_.string() + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream << text << '\n';
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(partial, file_, error);
  if (!stream || error) throw std::runtime_error("cannot write " + file_.string());
}

}  // namespace vernal::acceptance
