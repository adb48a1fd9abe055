#include "text/grammar/schema/shapes/shapes.hpp"

#include <algorithm>
#include <utility>

namespace vernal::grammar {

ShapeTable::ShapeTable(Evaluator& evaluator)
    : evaluator_(evaluator), object_maker_(evaluator, *this), array_maker_(evaluator, *this) {}

const Shape& ShapeTable::shape(ConjId conj) {
  const auto known = shapes_.find(conj);
  if (known != shapes_.end()) {
    return *known->second;
  }
  auto made = std::make_unique<Shape>(make_shape(conj));
  return *shapes_.emplace(conj, std::move(made)).first->second;
}

Shape ShapeTable::make_shape(ConjId conj) {
  const Values values = evaluator_.values_of_all(conj);
  RegexPool& pool = evaluator_.pool();
  Shape shape;
  shape.words = values.words;
  shape.numbers = pool.is_nothing(values.numbers) ? kNothing : values.numbers;
  shape.strings = pool.is_nothing(values.strings.re) ? kNothing : values.strings.re;
  shape.are_literals = values.strings.texts != nullptr;
  for (const ArrayCase& one : values.arrays) {
    auto spec = std::make_unique<ArraySpec>();
    if (array_maker_.make(one, *spec)) {
      shape.arrays.push_back(static_cast<std::uint32_t>(arrays_.size()));
      arrays_.push_back(std::move(spec));
    }
  }
  for (const ObjectCase& one : values.objects) {
    auto spec = std::make_unique<ObjectSpec>();
    if (object_maker_.make(one, *spec)) {
      shape.objects.push_back(static_cast<std::uint32_t>(objects_.size()));
      objects_.push_back(std::move(spec));
    }
  }
  return shape;
}

bool ShapeTable::is_possible(ConjId conj) {
  if (conj == kAnything) {
    return true;
  }
  Answer& answer = answers_[conj];
  if (answer == Answer::kOpen) {
    is_guessed_no_ = true;
    return false;  // no value of finite depth needs itself
  }
  if (answer != Answer::kUnknown) {
    is_guessed_yes_ = is_guessed_yes_ || answer == Answer::kGuess;
    return answer != Answer::kNo;
  }
  if (depth_ >= kMaxSearch) {
    is_guessed_yes_ = true;
    return true;
  }
  const bool outer_no = std::exchange(is_guessed_no_, false);
  const bool outer_yes = std::exchange(is_guessed_yes_, false);
  answer = Answer::kOpen;
  ++depth_;
  const bool found = search(conj);
  --depth_;
  // A guess of "no" can only hide a value, a guess of "yes" can only invent one.
  if (found) {
    answer = is_guessed_yes_ ? Answer::kGuess : Answer::kYes;
  } else {
    answer = is_guessed_no_ ? Answer::kUnknown : Answer::kNo;
  }
  if (answer == Answer::kGuess) {
    guesses_.push_back(conj);
  }
  if (depth_ == 0) {
    for (const ConjId guess : guesses_) {
      answers_[guess] = Answer::kUnknown;
    }
    guesses_.clear();
  }
  is_guessed_no_ = is_guessed_no_ || outer_no;
  is_guessed_yes_ = is_guessed_yes_ || outer_yes;
  return found;
}

bool ShapeTable::search(ConjId conj) {
  try {
    const Values values = evaluator_.values_of_all(conj);
    RegexPool& pool = evaluator_.pool();
    return values.words != 0 || !pool.is_nothing(values.numbers) ||
           !pool.is_nothing(values.strings.re) ||
           std::any_of(values.arrays.begin(), values.arrays.end(),
                       [&](const ArrayCase& one) { return is_possible(one); }) ||
           std::any_of(values.objects.begin(), values.objects.end(),
                       [&](const ObjectCase& one) { return is_possible(one); });
  } catch (const SearchBlocked&) {
    is_guessed_yes_ = true;
  } catch (const RegexLimit&) {
    is_guessed_yes_ = true;
  }
  return true;
}

bool ShapeTable::is_possible(const ObjectCase& one) {
  if (work_left_ == 0) {
    is_guessed_yes_ = true;
    return true;
  }
  --work_left_;
  return object_maker_.is_possible(one);
}

bool ShapeTable::is_possible(const ArrayCase& one) {
  if (work_left_ == 0) {
    is_guessed_yes_ = true;
    return true;
  }
  --work_left_;
  return array_maker_.is_possible(one);
}

ConjId ShapeTable::unnamed_value(ObjectSpec& spec, const std::vector<bool>& matching) {
  return object_maker_.unnamed_value(spec, matching);
}

}  // namespace vernal::grammar
