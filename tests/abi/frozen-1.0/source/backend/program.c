#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scalar.h"

/* Read in pieces, so that a load that is cancelled ends soon. */
enum { kPieceBytes = 1 << 18 };

void plan_destroy(vernal_plan* plan) {
  if (plan == NULL) return;
  free(plan->nodes);
  free(plan->values);
  free(plan);
}

static uint64_t bytes_of_value(const vernal_plan* plan, const struct value* value) {
  const uint64_t rows = value->is_rows ? plan->max_rows : plan->max_tokens;
  return rows * (uint64_t)value->columns * sizeof(float);
}

/* Every unsupported node stands in the text. */
static int32_t read_nodes(vernal_plan* plan) {
  char text[400] = "";
  char reason[200];
  size_t used = 0;
  for (uint64_t i = 0; i < plan->num_nodes; ++i) {
    const int32_t status = read_node(plan->module, i, &plan->nodes[i], reason, sizeof(reason));
    if (status != VERNAL_OK && status != VERNAL_UNSUPPORTED) return status;
    if (status == VERNAL_OK || used + 1 >= sizeof(text)) continue;
    const int wrote =
        snprintf(text + used, sizeof(text) - used, "%s%s", used == 0 ? "" : "\n", reason);
    used += wrote < 0 ? 0 : (size_t)wrote;
  }
  return used == 0 ? VERNAL_OK : fail(VERNAL_UNSUPPORTED, "%s", text);
}

static int32_t read_module(vernal_plan* plan) {
  vernal_module_info info;
  vernal_function_view function;
  int32_t status = check_module(plan->module, &info, &function);
  if (status != VERNAL_OK) return status;
  plan->num_nodes = function.num_nodes;
  plan->num_values = function.num_values;
  plan->num_weights = info.num_weights;
  plan->nodes = calloc(plan->num_nodes + 1, sizeof(struct node));
  plan->values = calloc(plan->num_values + 1, sizeof(struct value));
  if (plan->nodes == NULL || plan->values == NULL) {
    return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for the plan");
  }
  status = read_nodes(plan);
  for (uint64_t i = 0; i < plan->num_values && status == VERNAL_OK; ++i) {
    status = read_value(plan->module, i, &plan->values[i]);
    plan->value_bytes += bytes_of_value(plan, &plan->values[i]);
  }
  for (uint64_t i = 0; i < plan->num_weights && status == VERNAL_OK; ++i) {
    vernal_weight_view weight = {0};
    weight.struct_size = sizeof(weight);
    status = plan->module.api->weight(plan->module.module, i, &weight);
    plan->weight_bytes += weight.bytes;
  }
  return status;
}

int32_t make_plan(vernal_backend* backend, vernal_module_ref module, const vernal_plan_options* raw,
                  vernal_plan** out) {
  *out = NULL;
  if (backend == NULL) return no_handle("plan");
  vernal_plan_options options;
  copy_in(raw, &options, sizeof(options));
  if (options.max_tokens_per_step == 0 || options.max_sequences == 0 || options.max_rows == 0) {
    return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: plan: tokens, sequences and rows start at 1");
  }
  vernal_plan* plan = calloc(1, sizeof(*plan));
  if (plan == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for the plan");
  plan->module = module;
  plan->context_length = options.context_length;
  plan->max_tokens = options.max_tokens_per_step;
  plan->max_sequences = options.max_sequences;
  plan->max_rows = options.max_rows;
  plan->kv_tokens = options.kv_tokens;
  plan->max_checkpoints = options.max_checkpoints;
  int32_t status = read_module(plan);
  const uint64_t needed = plan->weight_bytes + plan->value_bytes;
  if (status == VERNAL_OK && options.memory_limit_bytes != 0 &&
      needed > options.memory_limit_bytes) {
    status = fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: %llu bytes needed, %llu available",
                  (unsigned long long)needed, (unsigned long long)options.memory_limit_bytes);
  }
  if (status != VERNAL_OK) {
    plan_destroy(plan);
    return status;
  }
  *out = plan;
  return VERNAL_OK;
}

int32_t plan_info(const vernal_plan* plan, vernal_plan_info* out) {
  vernal_plan_info info = {0};
  if (plan == NULL) return no_handle("plan_info");
  info.weight_bytes_per_step = plan->weight_bytes;
  copy_out(&info, sizeof(info), out);
  return VERNAL_OK;
}

int32_t plan_rows(const vernal_plan* plan, const vernal_memory_sink* sink) {
  const struct {
    const char* object;
    uint64_t bytes;
    uint32_t category;
  } kRows[] = {{"weights", plan->weight_bytes, VERNAL_MEMORY_WEIGHTS},
               {"values", plan->value_bytes, VERNAL_MEMORY_WORKSPACE}};
  for (size_t i = 0; i < sizeof(kRows) / sizeof(kRows[0]); ++i) {
    vernal_memory_row row = {0};
    row.struct_size = sizeof(row);
    row.object = text_of(kRows[i].object);
    row.device = text_of("cpu");
    row.bytes = row.peak_bytes = kRows[i].bytes;
    row.category = kRows[i].category;
    const int32_t status = sink->add(sink->user, &row);
    if (status != VERNAL_OK) return fail(status, "scalar_c: the receiver refused a row");
  }
  return VERNAL_OK;
}

int32_t memory_report(vernal_program* program, const vernal_memory_sink* sink) {
  return plan_rows(program->plan, sink);
}

/* ---- programs ----------------------------------------------------------------------------------
 */

void program_destroy(vernal_program* program) {
  if (program == NULL) return;
  for (uint64_t i = 0; program->weights != NULL && i < program->plan->num_weights; ++i) {
    free(program->weights[i]);
  }
  for (uint64_t i = 0; program->values != NULL && i < program->plan->num_values; ++i) {
    free(program->values[i]);
  }
  free(program->weights);
  free(program->values);
  free(program);
}

/* Reads one weight in pieces and reports after each. */
static int32_t load_weight(vernal_program* program, const vernal_weight_source* source,
                           const vernal_progress* progress, uint64_t index, uint64_t* done) {
  const vernal_plan* plan = program->plan;
  vernal_weight_view weight = {0};
  weight.struct_size = sizeof(weight);
  int32_t status = plan->module.api->weight(plan->module.module, index, &weight);
  if (status != VERNAL_OK) return status;
  char* bytes = malloc(weight.bytes == 0 ? 1 : weight.bytes);
  program->weights[index] = (float*)(void*)bytes;
  if (bytes == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for weights");
  for (uint64_t at = 0; at < weight.bytes; at += kPieceBytes) {
    const uint64_t left = weight.bytes - at;
    const uint64_t size = left < kPieceBytes ? left : kPieceBytes;
    status = source->read(source->user, index, at, size, bytes + at);
    if (status != VERNAL_OK) {
      return fail(status, "scalar_c: weight %.*s cannot be read", FROZEN_ARGUMENT(weight.name));
    }
    *done += size;
    if (progress == NULL || progress->report == NULL) continue;
    status = progress->report(progress->user, *done, plan->weight_bytes);
    if (status != VERNAL_OK) return fail(status, "scalar_c: loading was cancelled");
  }
  return VERNAL_OK;
}

int32_t program_build(vernal_plan* plan, const vernal_weight_source* raw,
                      const vernal_progress* progress, vernal_program** out) {
  *out = NULL;
  if (plan == NULL) return no_handle("program_build");
  vernal_weight_source source;
  copy_in(raw, &source, sizeof(source));
  vernal_program* program = calloc(1, sizeof(*program));
  if (program == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory");
  program->plan = plan;
  program->weights = calloc(plan->num_weights + 1, sizeof(float*));
  program->values = calloc(plan->num_values + 1, sizeof(void*));
  int has_memory = program->weights != NULL && program->values != NULL;
  for (uint64_t i = 0; has_memory && i < plan->num_values; ++i) {
    program->values[i] = calloc(1, bytes_of_value(plan, &plan->values[i]));
    has_memory = program->values[i] != NULL;
  }
  int32_t status =
      has_memory ? VERNAL_OK : fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for values");
  uint64_t done = 0;
  for (uint64_t i = 0; i < plan->num_weights && status == VERNAL_OK; ++i) {
    status = load_weight(program, &source, progress, i, &done);
  }
  if (status != VERNAL_OK) {
    program_destroy(program);
    return status;
  }
  *out = program;
  return VERNAL_OK;
}

int32_t stats(vernal_program* program, vernal_step_stats* out) {
  if (program == NULL) return no_handle("stats");
  copy_out(&program->stats, sizeof(program->stats), out);
  return VERNAL_OK;
}
