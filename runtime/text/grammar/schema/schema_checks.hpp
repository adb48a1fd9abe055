// What is looked for in schemas before they are used.
#pragma once

#include "text/grammar/schema/evaluator.hpp"
#include "text/grammar/schema/schema_document.hpp"
#include "text/grammar/schema/shapes/shapes.hpp"

namespace vernal::grammar {

/// A schema that applies itself to the same value again says nothing that can be computed.
/// Errors   GrammarError: there is one, or too many apply one another to one value
void check_references(const SchemaDocument& document);

/// Computes what may have to be relaxed, so that the client is told now.
void check_keywords(const SchemaDocument& document, Evaluator& evaluator, ShapeTable& shapes);

}  // namespace vernal::grammar
