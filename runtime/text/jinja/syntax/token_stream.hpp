// What the parsers share: the tokens, and the names and literals they have found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/jinja/syntax/ast.hpp"
#include "text/jinja/syntax/lexer.hpp"

namespace vernal::jinja {

/// Tokens and a position in them. The last token is kEnd; the position never moves behind it.
class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::uint32_t& line)
      : tokens_(std::move(tokens)), line_(line) {
    line_ = current().line;
  }

  const Token& current() const { return tokens_[position_]; }
  const Token& following() const {
    return tokens_[position_ + 1 < tokens_.size() ? position_ + 1 : position_];
  }
  std::uint32_t line() const { return current().line; }

  bool at(TokenKind kind) const { return current().kind == kind; }
  bool at_name(std::string_view name) const {
    return at(TokenKind::kName) && current().text == name;
  }
  bool at_operator(std::string_view text) const {
    return at(TokenKind::kOperator) && current().text == text;
  }

  const Token& next();
  bool skip_name(std::string_view name);
  bool skip_operator(std::string_view text);
  void expect_operator(std::string_view text);
  void expect_name(std::string_view name);
  void expect(TokenKind kind, std::string_view what);
  std::string expect_identifier(std::string_view what);

 private:
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
  std::uint32_t& line_;  // the line of the current token, for errors
};

/// Gives every name of the template a symbol, and counts how often each name is mentioned.
class NameTable {
 public:
  Symbol intern(const std::string& name);
  /// How often a name was mentioned so far.
  std::uint64_t num_mentions(const std::string& name) const;
  std::vector<std::string> take_names() { return std::move(names_); }

 private:
  std::unordered_map<std::string, Symbol> symbols_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> num_mentions_;
};

/// Counts one level of nesting while it lives. Fails beyond the limit.
class NestingGuard {
 public:
  explicit NestingGuard(std::uint32_t& depth);
  NestingGuard(const NestingGuard&) = delete;
  NestingGuard& operator=(const NestingGuard&) = delete;
  ~NestingGuard() { --depth_; }

 private:
  std::uint32_t& depth_;
};

}  // namespace vernal::jinja
