#include "text/jinja/syntax/parser.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "text/jinja/error.hpp"
#include "text/jinja/syntax/expression_parser.hpp"

namespace vernal::jinja {
namespace {

using EndNames = std::span<const std::string_view>;

/// Parses statements. ExpressionParser parses expressions.
class StatementParser {
 public:
  explicit StatementParser(TokenStream tokens)
      : tokens_(std::move(tokens)), expressions_(tokens_, names_) {}

  std::unique_ptr<const Program> run() {
    auto program = std::make_unique<Program>();
    program->loop = names_.intern("loop");
    program->body = parse_block({});
    program->num_string_literals = expressions_.num_string_literals();
    program->names = names_.take_names();
    return program;
  }

 private:
  using ParseFunction = void (StatementParser::*)(Block& block);

  struct Keyword {
    std::string_view name;
    ParseFunction parse;
  };

  static constexpr std::string_view kEndFor[] = {"endfor"};
  static constexpr std::string_view kEndIf[] = {"endif"};

  template <class Node>
  std::unique_ptr<Node> make() const {
    auto node = std::make_unique<Node>();
    node->line = tokens_.line();
    return node;
  }

  /// The statements up to a tag whose name is in `ends`; if `ends` is empty, up to the end of the
  /// template. Stops at the name of that tag.
  Block parse_block(EndNames ends) {
    const NestingGuard guard(nesting_);
    const std::uint32_t start_line = statement_line_;
    Block block;
    while (!tokens_.at(TokenKind::kEnd)) {
      if (tokens_.at(TokenKind::kText)) {
        auto node = make<TextStatement>();
        node->text = tokens_.next().text;
        block.push_back(std::move(node));
      } else if (tokens_.at(TokenKind::kVariableBegin)) {
        tokens_.next();
        parse_output(block);
        tokens_.expect(TokenKind::kVariableEnd, "'}}'");
      } else {
        tokens_.expect(TokenKind::kBlockBegin, "a tag");
        if (at_any(ends)) {
          return block;
        }
        parse_statement(block);
        tokens_.expect(TokenKind::kBlockEnd, "'%}'");
      }
    }
    if (!ends.empty()) {
      fail("the block that starts in line {} has no end; expected '{{% {} %}}'", start_line,
           ends.back());
    }
    return block;
  }

  bool at_any(EndNames names) const {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return tokens_.at_name(name); });
  }

  /// The body of a block tag, from its `%}` to the name of its end tag, which is consumed.
  Block parse_body(std::string_view end) {
    tokens_.expect(TokenKind::kBlockEnd, "'%}'");
    Block body = parse_block(std::span(&end, 1));
    tokens_.next();
    return body;
  }

  /// Like parse_body, with several ends. Stops at the name of the end tag.
  Block parse_part(EndNames ends) {
    tokens_.expect(TokenKind::kBlockEnd, "'%}'");
    return parse_block(ends);
  }

  void parse_statement(Block& block) {
    static constexpr Keyword kKeywords[] = {
        {"for", &StatementParser::parse_for},
        {"if", &StatementParser::parse_if},
        {"set", &StatementParser::parse_set},
        {"macro", &StatementParser::parse_macro},
        {"call", &StatementParser::parse_call},
        {"filter", &StatementParser::parse_filter},
        {"with", &StatementParser::parse_with},
        {"generation", &StatementParser::parse_generation},
        {"print", &StatementParser::parse_print},
        {"break", &StatementParser::parse_break},
        {"continue", &StatementParser::parse_continue},
    };
    static constexpr std::array<std::string_view, 6> kOtherFiles = {
        "include", "import", "from", "extends", "block", "autoescape"};
    const std::uint32_t line = tokens_.line();
    const std::string name = tokens_.expect_identifier("the name of a tag");
    const auto* const found =
        std::find_if(std::begin(kKeywords), std::end(kKeywords),
                     [&](const Keyword& keyword) { return keyword.name == name; });
    if (found != std::end(kKeywords)) {
      const std::uint32_t outer_line = std::exchange(statement_line_, line);
      (this->*found->parse)(block);
      statement_line_ = outer_line;
      return;
    }
    if (std::find(kOtherFiles.begin(), kOtherFiles.end(), name) != kOtherFiles.end()) {
      fail("'{{% {} %}}' has no place in a chat template, which stands alone", name);
    }
    if (name.starts_with("end") || name == "else" || name == "elif") {
      fail("'{{% {} %}}' does not belong to an open block", name);
    }
    fail("unknown tag '{}'", name);
  }

  void parse_output(Block& block) {
    auto node = make<OutputStatement>();
    node->expression = expressions_.parse_tuple();
    block.push_back(std::move(node));
  }

  void parse_print(Block& block) {
    do {
      auto node = make<OutputStatement>();
      node->expression = expressions_.parse();
      block.push_back(std::move(node));
    } while (tokens_.skip_operator(","));
  }

  void parse_for(Block& block) {
    static constexpr std::string_view kEnds[] = {"else", "endfor"};
    auto node = make<ForStatement>();
    node->target = expressions_.parse_target(false, "in");
    tokens_.expect_name("in");
    node->iterable = expressions_.parse_tuple(false, "recursive");
    if (tokens_.skip_name("if")) {
      node->condition = expressions_.parse();
    }
    node->is_recursive = tokens_.skip_name("recursive");
    ++num_open_loops_;
    node->body = parse_part(kEnds);
    --num_open_loops_;
    if (tokens_.next().text == "else") {
      node->otherwise = parse_part(kEndFor);
      tokens_.next();
    }
    block.push_back(std::move(node));
  }

  void parse_if(Block& block) {
    static constexpr std::string_view kEnds[] = {"elif", "else", "endif"};
    auto node = make<IfStatement>();
    std::string end;
    do {
      IfStatement::Branch branch;
      branch.condition = expressions_.parse_tuple(false);
      branch.body = parse_part(kEnds);
      node->branches.push_back(std::move(branch));
      end = tokens_.next().text;
    } while (end == "elif");
    if (end == "else") {
      node->otherwise = parse_part(kEndIf);
      tokens_.next();
    }
    block.push_back(std::move(node));
  }

  void parse_set(Block& block) {
    const std::uint32_t line = statement_line_;
    Target target = expressions_.parse_target(true);
    if (tokens_.skip_operator("=")) {
      auto node = make<SetStatement>();
      node->line = line;
      node->target = std::move(target);
      node->value = expressions_.parse_tuple();
      block.push_back(std::move(node));
      return;
    }
    auto node = make<SetBlockStatement>();
    node->line = line;
    node->target = std::move(target);
    node->filters = expressions_.parse_filters(false);
    node->body = parse_body("endset");
    block.push_back(std::move(node));
  }

  /// The implicit variables of a macro, and how often the template mentioned each of them before
  /// the macro.
  struct ImplicitNames {
    std::array<std::string, 3> names = {"varargs", "kwargs", "caller"};
    std::array<std::uint64_t, 3> num_mentions = {};
  };

  void parse_signature(MacroDefinition& definition) {
    tokens_.expect_operator("(");
    while (!tokens_.at_operator(")")) {
      MacroDefinition::Parameter parameter;
      parameter.name = expressions_.parse_target_name();
      parameter.symbol = names_.intern(parameter.name);
      if (tokens_.skip_operator("=")) {
        parameter.default_value = expressions_.parse();
      } else if (!definition.parameters.empty() &&
                 definition.parameters.back().default_value != nullptr) {
        fail("the parameter '{}' needs a default value, as the one before it has one",
             parameter.name);
      }
      definition.parameters.push_back(std::move(parameter));
      if (!tokens_.at_operator(")")) {
        tokens_.expect_operator(",");
      }
    }
    tokens_.expect_operator(")");
  }

  void parse_definition_body(MacroDefinition& definition, std::string_view end) {
    ImplicitNames implicit;
    for (std::size_t i = 0; i < implicit.names.size(); ++i) {
      implicit.num_mentions[i] = names_.num_mentions(implicit.names[i]);
    }
    // A loop around the macro does not count as a loop of its body.
    const std::uint32_t num_outer_loops = std::exchange(num_open_loops_, 0);
    definition.body = parse_body(end);
    num_open_loops_ = num_outer_loops;
    const std::array<std::optional<Symbol>*, 3> places = {&definition.varargs, &definition.kwargs,
                                                          &definition.caller};
    for (std::size_t i = 0; i < places.size(); ++i) {
      const bool is_parameter =
          std::any_of(definition.parameters.begin(), definition.parameters.end(),
                      [&](const auto& parameter) { return parameter.name == implicit.names[i]; });
      if (!is_parameter && names_.num_mentions(implicit.names[i]) > implicit.num_mentions[i]) {
        *places[i] = names_.intern(implicit.names[i]);
      }
    }
  }

  void parse_macro(Block& block) {
    auto node = make<MacroStatement>();
    node->definition.name = expressions_.parse_target_name();
    node->symbol = names_.intern(node->definition.name);
    parse_signature(node->definition);
    parse_definition_body(node->definition, "endmacro");
    block.push_back(std::move(node));
  }

  void parse_call(Block& block) {
    auto node = make<CallStatement>();
    node->body.name = "caller";
    if (tokens_.at_operator("(")) {
      parse_signature(node->body);
    }
    ExpressionPtr parsed = expressions_.parse();
    if (dynamic_cast<const CallExpression*>(parsed.get()) == nullptr) {
      fail("a call block needs a call, as in '{{% call name(...) %}}'");
    }
    node->call.reset(static_cast<const CallExpression*>(parsed.release()));
    parse_definition_body(node->body, "endcall");
    block.push_back(std::move(node));
  }

  void parse_filter(Block& block) {
    auto node = make<FilterStatement>();
    node->filters = expressions_.parse_filters(true);
    node->body = parse_body("endfilter");
    block.push_back(std::move(node));
  }

  void parse_with(Block& block) {
    auto node = make<ScopeStatement>();
    while (!tokens_.at(TokenKind::kBlockEnd)) {
      if (!node->assignments.empty()) {
        tokens_.expect_operator(",");
      }
      Target target = expressions_.parse_target(false);
      tokens_.expect_operator("=");
      node->assignments.emplace_back(std::move(target), expressions_.parse());
    }
    node->body = parse_body("endwith");
    block.push_back(std::move(node));
  }

  /// The tag marks what the assistant says, for training. For a prompt only its scope matters.
  void parse_generation(Block& block) {
    auto node = make<ScopeStatement>();
    const std::uint32_t num_outer_loops = std::exchange(num_open_loops_, 0);
    node->body = parse_body("endgeneration");
    num_open_loops_ = num_outer_loops;
    block.push_back(std::move(node));
  }

  void parse_break(Block& block) {
    require_loop("break");
    block.push_back(make<BreakStatement>());
  }

  void parse_continue(Block& block) {
    require_loop("continue");
    block.push_back(make<ContinueStatement>());
  }

  void require_loop(std::string_view name) const {
    if (num_open_loops_ == 0) {
      fail("'{{% {} %}}' stands outside of a loop", name);
    }
  }

  NameTable names_;
  TokenStream tokens_;
  ExpressionParser expressions_;
  std::uint32_t nesting_ = 0;
  std::uint32_t num_open_loops_ = 0;
  std::uint32_t statement_line_ = 0;  // where the innermost open statement starts
};

}  // namespace

std::unique_ptr<const Program> parse_program(std::string_view source, std::uint32_t& line) {
  return StatementParser(TokenStream(tokenize(source, line), line)).run();
}

}  // namespace vernal::jinja
