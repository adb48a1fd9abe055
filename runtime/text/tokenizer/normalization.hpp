// Whether and how text is normalised before it becomes tokens.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// What the `normalizer` of a tokenizer.json does, as far as it is done here.
struct Normalization {
  bool composes = false;  ///< NFC: a letter and its accent become one code point
  /// A step that is not done here, such as "Lowercase"; empty if there is none. Steps that only put
  /// the spaces of sentence pieces in place are left out: the encoders do that.
  std::string unknown_step;
};

/// Reads the `normalizer` of a tokenizer.json. What is no such document asks for nothing.
Normalization read_normalization(std::string_view tokenizer_json);

/// The text in Unicode's normalisation form C. What is not valid UTF-8 stays as it is.
std::string compose(std::string_view text);

}  // namespace vernal
