#include "text/jinja/template.hpp"

#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/syntax/parser.hpp"

namespace vernal::jinja {
namespace {

[[noreturn]] void throw_public_error(const Fault& fault, std::string_view name,
                                     std::uint32_t line) {
  const std::string message = fmt::format("{} line {}: {}", name, line, fault.what());
  switch (fault.kind()) {
    case Fault::Kind::kRaised:
      throw TemplateRaised(fault.what(), line);
    case Fault::Kind::kLimit:
      throw TemplateLimit(message, line);
    case Fault::Kind::kError:
      break;
  }
  throw TemplateError(message, line);
}

}  // namespace

Template Template::parse(std::string_view source, std::string name) {
  std::uint32_t line = 1;
  try {
    return {parse_program(source, line), std::move(name)};
  } catch (const Fault& fault) {
    throw_public_error(fault, name, line);
  }
}

std::string Template::render(const boost::json::object& inputs, const RenderLimits& limits,
                             const Clock& clock) const {
  Interpreter interpreter(*program_, limits, clock);
  try {
    interpreter.bind_functions();
    for (const auto& input : inputs) {
      interpreter.bind({input.key().data(), input.key().size()}, input.value());
    }
    return interpreter.run();
  } catch (const Fault& fault) {
    throw_public_error(fault, name_, interpreter.line());
  }
}

}  // namespace vernal::jinja
