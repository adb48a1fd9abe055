// What a user is told who misspells.
#include "command/command_line.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vernal {
namespace {

struct Told {
  int status = 0;
  std::string text;
};

/// A program of two commands, run with those arguments.
Told run(std::vector<const char*> arguments, std::string* model = nullptr) {
  CommandLine line("vernal 1.2.3");
  std::string chosen_model;
  std::string prompt;
  bool is_json = false;
  CLI::App& serve = line.add("serve", "serves", [] { return 0; });
  serve.add_flag("--json", is_json, "print JSON");
  CLI::App& run = line.add("run", "answers", [] { return 7; });
  run.add_option("-m,--model", chosen_model, "model");
  run.add_option("-p,--prompt", prompt, "prompt");
  arguments.insert(arguments.begin(), "vernal");
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  Told told;
  told.status = line.run(static_cast<int>(arguments.size()), arguments.data());
  told.text = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  if (model != nullptr) *model = chosen_model;
  return told;
}

TEST(CommandLine, RunsTheChosenCommandAfterAllArguments) {
  std::string model;
  const Told told = run({"run", "--model", "small"}, &model);
  EXPECT_EQ(told.status, 7);
  EXPECT_EQ(model, "small");
  EXPECT_EQ(told.text, "");
}

TEST(CommandLine, SuggestsTheNearestCommand) {
  const Told told = run({"serv", "file.toml"});
  EXPECT_EQ(told.status, 2);
  EXPECT_NE(told.text.find("unknown command \"serv\"; did you mean \"serve\"?"), std::string::npos)
      << told.text;
  const Told other = run({"xyzzy"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.text.find("unknown command \"xyzzy\"\n"), std::string::npos) << other.text;
}

TEST(CommandLine, SuggestsTheNearestOption) {
  const Told told = run({"run", "--modle=small"});
  EXPECT_EQ(told.status, 2);
  EXPECT_NE(told.text.find("run: unknown option \"--modle\"; did you mean \"--model\"?"),
            std::string::npos)
      << told.text;
}

TEST(CommandLine, LeavesOtherMistakesToTheParser) {
  EXPECT_EQ(run({}).status, 2);
  const Told missing = run({"run", "--model"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_EQ(missing.text.find("unknown"), std::string::npos) << missing.text;
  EXPECT_NE(missing.text.find("--model"), std::string::npos) << missing.text;
}

TEST(CommandLine, AnswersHelpAndVersion) {
  EXPECT_EQ(run({"--version"}).status, 0);
  EXPECT_EQ(run({"--version"}).text, "vernal 1.2.3\n");
  EXPECT_EQ(run({"run", "--help"}).status, 0);
}

TEST(CommandLine, TellsWhatACommandThrows) {
  CommandLine line("vernal");
  line.add("fail", "fails", []() -> int { throw std::runtime_error("no such file"); });
  const std::vector<const char*> arguments{"vernal", "fail"};
  testing::internal::CaptureStderr();
  EXPECT_EQ(line.run(2, arguments.data()), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "vernal: no such file\n");
}

}  // namespace
}  // namespace vernal
