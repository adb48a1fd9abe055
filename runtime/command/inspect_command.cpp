#include <fmt/format.h>

#include <map>
#include <vector>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "config/units.hpp"
#include "loading/chat_templates.hpp"
#include "loading/plugin_set.hpp"
#include "loading/resident_model.hpp"
#include "model/gguf_file.hpp"
#include "model/printable.hpp"
#include "module/printer.hpp"

namespace vernal {
namespace {

struct InspectArguments {
  std::filesystem::path file;  // GGUF
  bool tensors = false;
  bool module = false;
  std::vector<std::filesystem::path> plugin_paths;
};

void print_metadata(const GgufFile& file) {
  fmt::print("{}: GGUF version {}, {} keys, {} tensors, {}\n", file.file_name(), file.version(),
             file.metadata().size(), file.tensors().size(), format_size(file.file_bytes()));
  for (std::uint64_t i = 0; i < file.num_parts() && file.num_parts() > 1; ++i) {
    fmt::print("  part {} of {}: {}\n", i + 1, file.num_parts(), file.part(i).file_name());
  }
  for (const GgufEntry& entry : file.metadata().entries()) {
    fmt::print("  {:<44} {:<24} {}\n", printable(entry.key), entry.type_name(),
               entry.value_text(4));
  }
}

void print_chat_templates(const GgufFile& file) {
  const std::vector<StoredTemplate> templates = stored_chat_templates(file.metadata());
  if (templates.empty()) return;
  fmt::print("chat templates\n");
  for (const StoredTemplate& stored : templates) {
    fmt::print("  {:<44} {} bytes\n", printable(stored.name), stored.source.size());
  }
}

void print_formats(const GgufFile& file) {
  struct Sum {
    std::uint64_t tensors = 0, weights = 0, bytes = 0;
  };
  std::map<std::string_view, Sum> sums;
  for (const GgufTensor& tensor : file.tensors()) {
    Sum& sum = sums[tensor.type->name];
    sum.tensors += 1;
    sum.weights += tensor.num_elements();
    sum.bytes += tensor.bytes();
  }
  fmt::print("formats\n");
  for (const auto& [name, sum] : sums) {
    fmt::print("  {:<8} {:>5} tensors {:>15} weights {:>12}\n", name, sum.tensors, sum.weights,
               format_size(sum.bytes));
  }
}

void print_tensors(const GgufFile& file) {
  fmt::print("tensors\n");
  for (const GgufTensor& tensor : file.tensors()) {
    fmt::print("  {:<44} {:<8} {:<24} {:>14} bytes at {}{}\n", printable(tensor.name),
               tensor.type->name, tensor.shape_text(), tensor.bytes(),
               file.part(tensor.part).data_start() + tensor.offset,
               file.num_parts() > 1 ? fmt::format(" of part {}", tensor.part + 1) : "");
  }
}

void print_module(const InspectArguments& arguments) {
  Log log(LogLevel::kWarning);
  plugin::CoreHost host(log);
  RuntimeSettings runtime;
  for (const auto& folder : arguments.plugin_paths) {
    runtime.plugin_paths.push_back(std::filesystem::absolute(folder));
  }
  plugin::PluginRegistry registry(host, plugin_folders(runtime));
  ModelSettings settings;
  settings.name = arguments.file.stem().string();
  settings.path = arguments.file;
  settings.layers.emplace_back().last = -1;
  ResidentModel model(settings, registry);
  registry.init_all();
  model.build();
  fmt::print("{}\n", model.hyperparameters());
  for (const ModelSegment& segment : model.segments())
    fmt::print("{}", dump_module(*segment.module));
}

int inspect(const InspectArguments& arguments) {
  if (arguments.module) {
    print_module(arguments);
    return 0;
  }
  const GgufFile file = GgufFile::open(arguments.file);
  print_metadata(file);
  print_chat_templates(file);
  print_formats(file);
  if (arguments.tensors) print_tensors(file);
  return 0;
}

}  // namespace

void add_inspect_command(CommandLine& line) {
  const auto arguments = std::make_shared<InspectArguments>();
  CLI::App& command = line.add("inspect", "Show metadata, tensors or module of a GGUF file",
                               [arguments] { return inspect(*arguments); });
  command.add_option("MODEL", arguments->file, "model file (GGUF)")->required();
  command.add_flag("--tensors", arguments->tensors, "list every tensor");
  command.add_flag("--module", arguments->module, "print the module its architecture builds");
  command.add_option("--plugins", arguments->plugin_paths, "folders with plugins, for --module");
}

}  // namespace vernal
