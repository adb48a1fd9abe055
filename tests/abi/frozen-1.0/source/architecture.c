/* An architecture in C: the next token from the newest alone.
 *
 *   logits = Head(Norm(Embed(ids)[rows]))
 *
 * Keys: bigram.vocab_size, bigram.embedding_length, bigram.attention.layer_norm_rms_epsilon. */
#include "vernal/abi/architecture.h"

#include <stdio.h>

#include "plugin.h"

FROZEN_DEFINE_MANIFEST("architecture", "bigram_c", "provides=bigram\n");

struct bigram {
  int64_t vocabulary;
  int64_t width;
  double epsilon;
};

static int32_t read_size(vernal_metadata_ref metadata, const char* key, int64_t* out) {
  const int32_t status = metadata.api->get_int(metadata.metadata, text_of(key), out);
  if (status != VERNAL_OK) return fail(status, "%s: expected an integer, found none", key);
  if (*out < 1 || *out > 1000000) {
    return fail(VERNAL_INVALID_ARGUMENT, "%s: expected 1 to 1000000, found %lld", key,
                (long long)*out);
  }
  return VERNAL_OK;
}

static int32_t read_bigram(vernal_metadata_ref metadata, struct bigram* out) {
  static const char kEpsilon[] = "bigram.attention.layer_norm_rms_epsilon";
  if (!FROZEN_REACHES(metadata.api, vernal_metadata_api, tensor)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_metadata_api: the table is too small");
  }
  int32_t status = read_size(metadata, "bigram.vocab_size", &out->vocabulary);
  if (status == VERNAL_OK) status = read_size(metadata, "bigram.embedding_length", &out->width);
  if (status != VERNAL_OK) return status;
  status = metadata.api->get_float(metadata.metadata, text_of(kEpsilon), &out->epsilon);
  if (status != VERNAL_OK) return fail(status, "%s: expected a number, found none", kEpsilon);
  if (!(out->epsilon >= 0 && out->epsilon < 1)) {
    return fail(VERNAL_INVALID_ARGUMENT, "%s: expected 0 to 1, found %g", kEpsilon, out->epsilon);
  }
  return VERNAL_OK;
}

static int32_t write_text(const vernal_sink* sink, const char* text) {
  const vernal_str piece = text_of(text);
  return sink->write(sink->user, piece.data, piece.size);
}

static int32_t probe(vernal_metadata_ref metadata, uint32_t* out_score, const vernal_sink* reason) {
  vernal_str name = {NULL, 0};
  *out_score = 0;
  if (!FROZEN_REACHES(metadata.api, vernal_metadata_api, tensor)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_metadata_api: the table is too small");
  }
  const int32_t status =
      metadata.api->get_string(metadata.metadata, text_of("general.architecture"), &name);
  if (status != VERNAL_OK || !is_text(name, "bigram")) {
    return write_text(reason, "general.architecture is not \"bigram\"");
  }
  *out_score = 100;
  return write_text(reason, "general.architecture is \"bigram\"");
}

static int32_t describe(vernal_metadata_ref metadata, const vernal_sink* sink) {
  struct bigram bigram;
  const int32_t status = read_bigram(metadata, &bigram);
  if (status != VERNAL_OK) return status;
  char text[96];
  snprintf(text, sizeof(text), "vocabulary = %lld\nwidth = %lld\n", (long long)bigram.vocabulary,
           (long long)bigram.width);
  return write_text(sink, text);
}

/* ---- building ----------------------------------------------------------------------------------
 */

/* The builder and the first status of it that was not OK; calls after that do nothing. */
struct building {
  vernal_builder_ref builder;
  int32_t status;
};

static vernal_attr text_attr(const char* name, const char* text) {
  vernal_attr attr = {0};
  attr.struct_size = sizeof(attr);
  attr.name = text_of(name);
  attr.text = text_of(text);
  attr.type = VERNAL_ATTR_STRING;
  return attr;
}

static vernal_operand weight(struct building* b, const char* name, int64_t rows, int64_t columns) {
  const int64_t dims[2] = {rows, columns};
  const int64_t* shape = rows == 0 ? dims + 1 : dims; /* rows 0: a vector */
  vernal_operand out = {0, 0};
  if (b->status != VERNAL_OK) return out;
  b->status =
      b->builder.api->weight(b->builder.builder, text_of(name), shape, rows == 0 ? 1 : 2, &out);
  return out;
}

/* A node; operands end at the first that is none. Its result, unless it is an output. */
static vernal_operand add(struct building* b, const char* op, const char* name,
                          const vernal_operand operands[2], const vernal_attr* attrs,
                          uint64_t num_attrs) {
  vernal_operand out = {0, 0};
  if (b->status != VERNAL_OK) return out;
  const uint64_t num_operands = operands[0].kind == 0 ? 0 : operands[1].kind == 0 ? 1 : 2;
  const uint64_t num_outputs = is_text(text_of(op), "vernal.output/1") ? 0 : 1;
  b->status =
      b->builder.api->add_op(b->builder.builder, text_of(op), text_of(name), operands, num_operands,
                             attrs, num_attrs, sizeof(vernal_attr), &out, num_outputs);
  return out;
}

static vernal_operand input(struct building* b, const char* name, const int64_t* dims) {
  const vernal_operand none[2] = {{0, 0}, {0, 0}};
  vernal_attr attrs[3] = {text_attr("name", name), text_attr("dtype", "i32"),
                          text_attr("shape", "")};
  attrs[2].type = VERNAL_ATTR_INTS;
  attrs[2].integers = dims;
  attrs[2].count = 1;
  return add(b, "vernal.input/1", name, none, attrs, 3);
}

static void build_main(struct building* b, const struct bigram* bigram) {
  static const int64_t kTokens[1] = {VERNAL_DIM_TOKENS};
  static const int64_t kRows[1] = {VERNAL_DIM_ROWS};
  const vernal_attr f32 = text_attr("out", "f32");
  const vernal_operand ids = input(b, "ids", kTokens);
  const vernal_operand rows = input(b, "rows", kRows);

  const vernal_operand embedding[2] = {
      ids, weight(b, "token_embd.weight", bigram->vocabulary, bigram->width)};
  const vernal_operand chosen[2] = {add(b, "vernal.embed/1", "embed", embedding, &f32, 1), rows};
  const vernal_operand norm[2] = {add(b, "vernal.select_rows/1", "rows", chosen, NULL, 0),
                                  weight(b, "output_norm.weight", 0, bigram->width)};
  vernal_attr eps = text_attr("eps", "");
  eps.type = VERNAL_ATTR_FLOAT;
  eps.number = bigram->epsilon;
  const vernal_operand head[2] = {add(b, "vernal.rmsnorm/1", "norm", norm, &eps, 1),
                                  weight(b, "output.weight", bigram->vocabulary, bigram->width)};
  const vernal_operand logits[2] = {add(b, "vernal.linear/1", "output", head, &f32, 1), {0, 0}};
  const vernal_attr name = text_attr("name", "logits");
  add(b, "vernal.output/1", "logits", logits, &name, 1);
}

static int32_t build(vernal_metadata_ref metadata, const vernal_build_options* raw,
                     vernal_builder_ref builder) {
  struct bigram bigram;
  int32_t status = read_bigram(metadata, &bigram);
  if (status != VERNAL_OK) return status;
  if (!FROZEN_REACHES(builder.api, vernal_builder_api, hint)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_builder_api: the table is too small");
  }
  vernal_build_options options;
  copy_in(raw, &options, sizeof(options));
  if (options.first_layer != 0 || options.last_layer > 0) {
    return fail(VERNAL_UNSUPPORTED, "bigram_c: a part of the layers was asked for; it has none");
  }
  struct building b = {builder, VERNAL_OK};
  status = builder.api->begin_function(builder.builder, text_of("main"));
  if (status != VERNAL_OK) return status;
  build_main(&b, &bigram);
  return b.status != VERNAL_OK ? b.status : builder.api->end_function(builder.builder);
}

/* ---- the plugin --------------------------------------------------------------------------------
 */

static const vernal_architecture_api kArchitecture = {
    .struct_size = sizeof(vernal_architecture_api),
    .probe = probe,
    .describe = describe,
    .build = build,
    .get_extension = no_extension,
};

FROZEN_DEFINE_PLUGIN(VERNAL_KIND_ARCHITECTURE, kArchitecture, NULL, 0);
