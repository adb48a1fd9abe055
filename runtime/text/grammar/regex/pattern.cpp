#include "text/grammar/regex/pattern.hpp"

#include <utility>

#include "text/grammar/regex/pattern_syntax.hpp"
#include "text/tokenizer/utf8.hpp"

namespace vernal::grammar {
namespace {

using PatternKind = PatternNode::Kind;

/// Whether a part looks at its surroundings.
bool looks_around(const PatternNode& node) {
  if (node.kind == PatternKind::kBegin || node.kind == PatternKind::kEnd ||
      node.kind == PatternKind::kLookahead) {
    return true;
  }
  for (const PatternNode& part : node.parts) {
    if (looks_around(part)) {
      return true;
    }
  }
  return false;
}

bool has_begin(const PatternNode& node) {
  if (node.kind == PatternKind::kBegin) {
    return true;
  }
  for (const PatternNode& part : node.parts) {
    if (has_begin(part)) {
      return true;
    }
  }
  return false;
}

bool begins_anchored(const PatternNode& node) {
  return node.kind == PatternKind::kBegin ||
         (node.kind == PatternKind::kSequence && !node.parts.empty() &&
          begins_anchored(node.parts[0]));
}

/// Turns a tree into an expression from its end: `rest` is what may follow up to the end of the
/// text. So "$" and lookahead are conditions on the rest.
class PatternCompiler {
 public:
  explicit PatternCompiler(RegexPool& pool) : pool_(pool) {}

  Re compile(const PatternNode& node, Anchoring anchoring) {
    if (anchoring == Anchoring::kWhole) {
      return with_rest(node, kEmptyText, true);
    }
    // Alternatives that begin with "^" match at the start alone.
    std::vector<Re> found;
    const bool is_choice = node.kind == PatternKind::kChoice;
    for (std::size_t i = 0; i < (is_choice ? node.parts.size() : 1); ++i) {
      const PatternNode& branch = is_choice ? node.parts[i] : node;
      if (begins_anchored(branch)) {
        found.push_back(with_rest(branch, kAnyText, true));
      } else if (!looks_around(branch)) {
        found.push_back(pool_.concat(kAnyText, pool_.concat(plain(branch), kAnyText)));
      } else if (!has_begin(branch)) {
        found.push_back(pool_.concat(kAnyText, with_rest(branch, kAnyText, false)));
      } else {
        const Re later = pool_.concat(pool_.any_character(), kAnyText);
        found.push_back(with_rest(branch, kAnyText, true));
        found.push_back(pool_.concat(later, with_rest(branch, kAnyText, false)));
      }
    }
    return pool_.any_of(std::move(found));
  }

 private:
  Re plain(const PatternNode& node) {
    switch (node.kind) {
      case PatternKind::kSet:
        return pool_.set(node.set);
      case PatternKind::kSequence: {
        Re result = kEmptyText;
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) {
          result = pool_.concat(plain(*part), result);
        }
        return result;
      }
      case PatternKind::kChoice: {
        std::vector<Re> parts;
        for (const PatternNode& part : node.parts) {
          parts.push_back(plain(part));
        }
        return pool_.any_of(std::move(parts));
      }
      case PatternKind::kRepeat:
        return pool_.repeat(plain(node.parts[0]), node.min, node.max);
      default:
        return kNothing;
    }
  }

  /// `is_start`: whether nothing of the text stands before the node.
  Re with_rest(const PatternNode& node, Re rest, bool is_start) {
    if (!looks_around(node)) {
      return pool_.concat(plain(node), rest);
    }
    switch (node.kind) {
      case PatternKind::kSequence:
        return sequence(node, rest, is_start);
      case PatternKind::kChoice: {
        std::vector<Re> parts;
        for (const PatternNode& part : node.parts) {
          parts.push_back(with_rest(part, rest, is_start));
        }
        return pool_.any_of(std::move(parts));
      }
      case PatternKind::kRepeat:
        return repeated(node, rest, is_start);
      case PatternKind::kBegin:
        return is_start ? rest : kNothing;
      case PatternKind::kEnd:
        return pool_.is_nullable(rest) ? kEmptyText : kNothing;
      case PatternKind::kLookahead: {
        const Re ahead = with_rest(node.parts[0], kAnyText, is_start);
        return pool_.all_of(rest, node.is_negative ? pool_.complement(ahead) : ahead);
      }
      case PatternKind::kSet:
        break;
    }
    return kNothing;
  }

  Re sequence(const PatternNode& node, Re rest, bool is_start) {
    // Whether each part stands at the start: what comes before it takes no character.
    std::vector<bool> starts;
    for (const PatternNode& part : node.parts) {
      starts.push_back(is_start);
      const bool takes_nothing = part.kind == PatternKind::kBegin ||
                                 part.kind == PatternKind::kLookahead ||
                                 part.kind == PatternKind::kEnd || begins_anchored(part);
      is_start = is_start && takes_nothing && !takes_characters(part);
    }
    for (std::size_t i = node.parts.size(); i-- > 0;) {
      rest = with_rest(node.parts[i], rest, starts[i]);
    }
    return rest;
  }

  static bool takes_characters(const PatternNode& node) {
    if (node.kind == PatternKind::kSet) {
      return true;
    }
    if (node.kind == PatternKind::kLookahead) {
      return false;
    }
    for (const PatternNode& part : node.parts) {
      if (takes_characters(part)) {
        return true;
      }
    }
    return false;
  }

  Re repeated(const PatternNode& node, Re rest, bool is_start) {
    const PatternNode& body = node.parts[0];
    if (node.max == 1) {
      const Re once = with_rest(body, rest, is_start);
      return node.min == 0 ? pool_.any_of(rest, once) : once;
    }
    // (?:(?!x)c)* before the end: texts of c without x anywhere.
    const bool is_tempered = body.kind == PatternKind::kSequence && body.parts.size() == 2 &&
                             body.parts[0].kind == PatternKind::kLookahead &&
                             body.parts[0].is_negative && body.parts[1].kind == PatternKind::kSet &&
                             rest == kEmptyText;
    if (is_tempered) {
      const Re found = with_rest(body.parts[0].parts[0], kAnyText, false);
      const Re letters = pool_.repeat(pool_.set(body.parts[1].set), node.min, node.max);
      if (!pool_.is_nullable(found)) {
        return pool_.all_of(letters, pool_.complement(pool_.concat(kAnyText, found)));
      }
    }
    throw PatternProblem{"a repeated group looks at what surrounds it"};
  }

  RegexPool& pool_;
};

}  // namespace

Pattern parse_pattern(RegexPool& pool, std::string_view text, Anchoring anchoring) {
  try {
    const PatternNode node = parse_pattern_syntax(text);
    return {PatternCompiler(pool).compile(node, anchoring), {}};
  } catch (const PatternProblem& problem) {
    return {kAnyText, problem.reason};
  }
}

std::u32string to_code_points(std::string_view text) {
  std::u32string result;
  while (!text.empty()) {
    const Utf8Character character = read_utf8(text);
    result += character.code_point;
    text.remove_prefix(character.length);
  }
  return result;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0U | (c >> 6U));
      put(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      put(0xE0U | (c >> 12U));
      put(0x80U | ((c >> 6U) & 0x3FU));
      put(0x80U | (c & 0x3FU));
    } else {
      put(0xF0U | (c >> 18U));
      put(0x80U | ((c >> 12U) & 0x3FU));
      put(0x80U | ((c >> 6U) & 0x3FU));
      put(0x80U | (c & 0x3FU));
    }
  }
  return out;
}

}  // namespace vernal::grammar
