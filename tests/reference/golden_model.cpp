#include "reference/golden_model.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace vernal::test {
namespace {

std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

template <class T>
std::vector<T> numbers(const boost::json::value& value) {
  std::vector<T> out;
  for (const auto& element : value.as_array()) out.push_back(element.to_number<T>());
  return out;
}

}  // namespace

std::filesystem::path golden_folder(const std::string& name) {
  for (const char* root : {VERNAL_GOLDEN_DIR "/models", VERNAL_REFERENCE_DIR "/models"}) {
    const std::filesystem::path folder(root);
    if (std::filesystem::exists(folder / (name + ".gguf"))) return folder;
  }
  return {};
}

GoldenModel read_golden_model(const std::string& name) {
  const std::filesystem::path folder = golden_folder(name);
  const auto json = boost::json::parse(read_bytes(folder / (name + ".json")));
  GoldenModel model;
  model.file = folder / (name + ".gguf");
  const auto shape = numbers<std::uint64_t>(json.at("logits").at("shape"));
  model.vocabulary_size = shape.at(1);
  const std::string raw = read_bytes(folder / (name + ".logits.f32"));
  if (raw.size() != shape.at(0) * shape.at(1) * sizeof(float)) {
    throw std::runtime_error(name + ".logits.f32 has another size than its description");
  }
  model.logits.resize(raw.size() / sizeof(float));
  std::copy(raw.begin(), raw.end(), reinterpret_cast<char*>(model.logits.data()));
  for (const auto& run : json.at("runs").as_array()) {
    model.runs.push_back(
        {numbers<std::int32_t>(run.at("prompt")), numbers<std::uint64_t>(run.at("positions")),
         numbers<std::uint64_t>(run.at("rows")).at(0), numbers<std::int32_t>(run.at("greedy"))});
    const GoldenRun& added = model.runs.back();
    if (added.positions.empty() || added.greedy.empty()) {
      throw std::runtime_error(name + ".json has a run without positions or greedy tokens");
    }
  }
  if (model.runs.empty()) throw std::runtime_error(name + ".json has no runs");
  return model;
}

}  // namespace vernal::test
