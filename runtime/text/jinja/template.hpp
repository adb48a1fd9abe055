// A parsed Jinja template.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "text/jinja/builtins/clock.hpp"
#include "text/jinja/limits.hpp"
#include "text/jinja/syntax/ast.hpp"

namespace vernal::jinja {

/// A template as Jinja2 understands it with the settings of the transformers library: trim_blocks,
/// lstrip_blocks, loop controls, the `generation` tag, no access to files or other templates. It is
/// immutable: any number of threads may render it at the same time.
class Template {
 public:
  /// Parses a template. Messages begin with `name`. Throws TemplateError, TemplateLimit.
  static Template parse(std::string_view source, std::string name);

  /// The text for these inputs. Throws TemplateError, TemplateRaised, TemplateLimit.
  std::string render(const boost::json::object& inputs, const RenderLimits& limits,
                     const Clock& clock) const;

  /// Whether the name occurs in the template as a variable or function.
  bool mentions(std::string_view name) const { return program_->find(name).has_value(); }

 private:
  Template(std::shared_ptr<const Program> program, std::string name)
      : program_(std::move(program)), name_(std::move(name)) {}

  std::shared_ptr<const Program> program_;  // shared with copies
  std::string name_;
};

}  // namespace vernal::jinja
