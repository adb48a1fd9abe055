#include "text/jinja/syntax/token_stream.hpp"

#include "text/jinja/error.hpp"
#include "text/jinja/syntax/parser.hpp"

namespace vernal::jinja {

const Token& TokenStream::next() {
  const Token& passed = tokens_[position_];
  if (position_ + 1 < tokens_.size()) {
    ++position_;
  }
  line_ = current().line;
  return passed;
}

bool TokenStream::skip_name(std::string_view name) {
  if (!at_name(name)) {
    return false;
  }
  next();
  return true;
}

bool TokenStream::skip_operator(std::string_view text) {
  if (!at_operator(text)) {
    return false;
  }
  next();
  return true;
}

void TokenStream::expect_operator(std::string_view text) {
  if (!skip_operator(text)) {
    fail("expected '{}', found {}", text, describe(current()));
  }
}

void TokenStream::expect_name(std::string_view name) {
  if (!skip_name(name)) {
    fail("expected '{}', found {}", name, describe(current()));
  }
}

void TokenStream::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) {
    fail("expected {}, found {}", what, describe(current()));
  }
  next();
}

std::string TokenStream::expect_identifier(std::string_view what) {
  if (!at(TokenKind::kName)) {
    fail("expected {}, found {}", what, describe(current()));
  }
  return next().text;
}

Symbol NameTable::intern(const std::string& name) {
  const auto [entry, is_new] = symbols_.emplace(name, static_cast<Symbol>(names_.size()));
  if (is_new) {
    names_.push_back(name);
    num_mentions_.push_back(0);
  }
  ++num_mentions_[entry->second];
  return entry->second;
}

std::uint64_t NameTable::num_mentions(const std::string& name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? 0 : num_mentions_[found->second];
}

NestingGuard::NestingGuard(std::uint32_t& depth) : depth_(depth) {
  if (depth_ >= kMaxNesting) {
    fail_limit("the template is nested more than {} levels deep", kMaxNesting);
  }
  ++depth_;
}

}  // namespace vernal::jinja
