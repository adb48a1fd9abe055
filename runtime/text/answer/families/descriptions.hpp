// The syntaxes of the known families of models: one description each. The descriptions of families
// whose calls have the same form stand in one file. Answers in channels and answers with recipients
// are described where the families are listed, in answer_families.cpp.
#pragma once

#include <string>
#include <vector>

#include "text/answer/answer_syntax.hpp"

namespace vernal::families {

// json_families.cpp: calls are JSON objects with a name and arguments.
AnswerSyntax apertus();
AnswerSyntax apriel();
AnswerSyntax bare_json();
AnswerSyntax command_r7b();
AnswerSyntax command_r_plus();
AnswerSyntax functools(std::string family);
AnswerSyntax gigachat();
AnswerSyntax granite3();
AnswerSyntax hermes();
AnswerSyntax hunyuan_a13b();
AnswerSyntax llama3();
/// A family whose calls are JSON between two marks that are plain text.
AnswerSyntax json_between(std::string family, std::string open, std::string close);

// headed_families.cpp: calls are a name and a JSON object behind it.
AnswerSyntax deepseek(std::string family);
AnswerSyntax kimi_k2();
/// `id_stands_behind`: the id comes after the arguments.
AnswerSyntax mistral(std::string family, bool id_stands_behind);

// tag_families.cpp: calls are tags, with a tag for each argument.
AnswerSyntax dsml();
AnswerSyntax functionary_v31();
AnswerSyntax glm();
AnswerSyntax hunyuan_hy3();
AnswerSyntax kimi_k3();
AnswerSyntax minicpm5();
AnswerSyntax minimax_m2();
AnswerSyntax minimax_m3();
AnswerSyntax seed_oss();
AnswerSyntax step3();

// literal_families.cpp: calls are written as in Python, or with marked strings.
/// `marks`: before a call and behind it.
AnswerSyntax gemma(std::string family, const std::vector<std::string>& marks,
                   std::string string_mark);
AnswerSyntax lfm2();
AnswerSyntax pythonic();

}  // namespace vernal::families
