#include <math.h>
#include <string.h>

#include "scalar.h"

/* One step under way. */
struct step {
  const vernal_step_batch* batch;
  const vernal_program* program;
};

static uint64_t rows_of(const struct step* step, uint32_t value) {
  return step->program->plan->values[value].is_rows ? step->batch->num_rows
                                                    : step->batch->num_tokens;
}

static uint64_t columns_of(const struct step* step, uint32_t value) {
  return (uint64_t)step->program->plan->values[value].columns;
}

static float* floats(const struct step* step, uint32_t value) {
  return step->program->values[value];
}

/* ---- operations --------------------------------------------------------------------------------
 */

static int32_t run_input(const struct step* step, const struct node* node) {
  const uint64_t bytes = rows_of(step, node->out) * columns_of(step, node->out) * sizeof(int32_t);
  for (uint64_t i = 0; i < step->batch->num_inputs; ++i) {
    const char* at = (const char*)step->batch->inputs + i * step->batch->input_stride;
    vernal_step_input input;
    copy_in(at, &input, sizeof(input));
    if (!is_text(input.name, node->name)) continue;
    if (input.source != VERNAL_INPUT_HOST || input.bytes != bytes || input.data == NULL) {
      return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: input %s: expected %llu bytes, found %llu",
                  node->name, (unsigned long long)bytes, (unsigned long long)input.bytes);
    }
    memcpy(step->program->values[node->out], input.data, bytes);
    return VERNAL_OK;
  }
  return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: input %s: expected, found none", node->name);
}

static uint64_t weight_rows(const struct step* step, uint32_t weight) {
  vernal_weight_view view = {0};
  const vernal_module_ref module = step->program->plan->module;
  view.struct_size = sizeof(view);
  return module.api->weight(module.module, weight, &view) == VERNAL_OK ? (uint64_t)view.dims[0] : 0;
}

static int32_t run_embed(const struct step* step, const struct node* node) {
  const int32_t* ids = step->program->values[node->x];
  const float* table = step->program->weights[node->weight];
  const uint64_t width = columns_of(step, node->out);
  const uint64_t vocabulary = weight_rows(step, node->weight);
  float* y = floats(step, node->out);
  for (uint64_t t = 0; t < rows_of(step, node->out); ++t) {
    if (ids[t] < 0 || (uint64_t)ids[t] >= vocabulary) {
      return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: token id %d: expected 0 to %llu", ids[t],
                  (unsigned long long)vocabulary - 1);
    }
    const float* row = table + (uint64_t)ids[t] * width;
    for (uint64_t i = 0; i < width; ++i) y[t * width + i] = (float)node->number * row[i];
  }
  return VERNAL_OK;
}

static int32_t run_select_rows(const struct step* step, const struct node* node) {
  const int32_t* rows = step->program->values[node->rows];
  const uint64_t width = columns_of(step, node->out);
  for (uint64_t r = 0; r < rows_of(step, node->out); ++r) {
    if (rows[r] < 0 || (uint64_t)rows[r] >= rows_of(step, node->x)) {
      return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: row %d does not exist", rows[r]);
    }
    memcpy(floats(step, node->out) + r * width, floats(step, node->x) + (uint64_t)rows[r] * width,
           width * sizeof(float));
  }
  return VERNAL_OK;
}

static int32_t run_rmsnorm(const struct step* step, const struct node* node) {
  const uint64_t width = columns_of(step, node->x);
  const float* weight = node->has_weight ? step->program->weights[node->weight] : NULL;
  for (uint64_t t = 0; t < rows_of(step, node->x); ++t) {
    const float* x = floats(step, node->x) + t * width;
    float* y = floats(step, node->out) + t * width;
    double sum = 0;
    for (uint64_t i = 0; i < width; ++i) sum += (double)x[i] * x[i];
    const double factor = 1 / sqrt(sum / (double)width + node->number);
    for (uint64_t i = 0; i < width; ++i) {
      y[i] = (float)(x[i] * factor * (weight != NULL ? weight[i] : 1.0f));
    }
  }
  return VERNAL_OK;
}

static int32_t run_linear(const struct step* step, const struct node* node) {
  const uint64_t in = columns_of(step, node->x), out = columns_of(step, node->out);
  const float* weight = step->program->weights[node->weight];
  const float* bias = node->has_bias ? step->program->weights[node->bias] : NULL;
  for (uint64_t t = 0; t < rows_of(step, node->x); ++t) {
    const float* x = floats(step, node->x) + t * in;
    for (uint64_t n = 0; n < out; ++n) {
      double sum = bias != NULL ? bias[n] : 0;
      for (uint64_t k = 0; k < in; ++k) sum += (double)x[k] * weight[n * in + k];
      floats(step, node->out)[t * out + n] = (float)sum;
    }
  }
  return VERNAL_OK;
}

static int32_t run_node(const struct step* step, const struct node* node) {
  switch (node->operation) {
    case kInput:
      return run_input(step, node);
    case kEmbed:
      return run_embed(step, node);
    case kSelectRows:
      return run_select_rows(step, node);
    case kRmsnorm:
      return run_rmsnorm(step, node);
    case kLinear:
      return run_linear(step, node);
    case kOutput:
      return VERNAL_OK; /* read where it lies */
  }
  return fail(VERNAL_INTERNAL, "scalar_c: a node of no operation");
}

/* ---- steps -------------------------------------------------------------------------------------
 */

static vernal_step_sequence part_at(const vernal_step_batch* batch, uint64_t index) {
  vernal_step_sequence part;
  copy_in((const char*)batch->sequences + index * batch->sequence_stride, &part, sizeof(part));
  return part;
}

static int32_t check_batch(vernal_pool* pool, const vernal_step_batch* batch) {
  const vernal_plan* plan = pool->program->plan;
  if (pool->ticket != 0) {
    return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: release step %llu first",
                (unsigned long long)pool->ticket);
  }
  if (batch->function != 0 || batch->num_tokens == 0 || batch->num_tokens > plan->max_tokens ||
      batch->num_rows == 0 || batch->num_rows > plan->max_rows) {
    return fail(VERNAL_INVALID_ARGUMENT,
                "scalar_c: step: expected 1 to %llu tokens and 1 to %llu rows, found %llu and %llu",
                (unsigned long long)plan->max_tokens, (unsigned long long)plan->max_rows,
                (unsigned long long)batch->num_tokens, (unsigned long long)batch->num_rows);
  }
  for (uint64_t i = 0; i < batch->num_sequences; ++i) {
    const vernal_step_sequence part = part_at(batch, i);
    const struct sequence* sequence = find_sequence(pool, part.sequence);
    if (sequence == NULL) return VERNAL_NOT_FOUND;
    if (part.first_position != sequence->length || part.count > batch->num_tokens ||
        sequence->length + part.count > sequence->room) {
      return fail(VERNAL_INVALID_ARGUMENT,
                  "scalar_c: step: %llu tokens at %llu, the sequence has %llu and room up to %llu",
                  (unsigned long long)part.count, (unsigned long long)part.first_position,
                  (unsigned long long)sequence->length, (unsigned long long)sequence->room);
    }
  }
  return VERNAL_OK;
}

int32_t step_submit(vernal_pool* pool, const vernal_step_batch* raw, vernal_ticket* out) {
  vernal_step_batch batch;
  if (pool == NULL) return no_handle("step_submit");
  copy_in(raw, &batch, sizeof(batch));
  *out = 0;
  const uint64_t begin = now_ns();
  int32_t status = check_batch(pool, &batch);
  const struct step step = {&batch, pool->program};
  const vernal_plan* plan = pool->program->plan;
  for (uint64_t i = 0; i < plan->num_nodes && status == VERNAL_OK; ++i) {
    status = run_node(&step, &plan->nodes[i]);
  }
  if (status != VERNAL_OK) return status;
  for (uint64_t i = 0; i < batch.num_sequences; ++i) {
    const vernal_step_sequence part = part_at(&batch, i);
    find_sequence(pool, part.sequence)->length += part.count;
  }
  pool->num_tokens = batch.num_tokens;
  pool->num_rows = batch.num_rows;
  pool->ticket = ++pool->last_ticket;
  ++pool->program->stats.steps;
  pool->program->stats.tokens += batch.num_tokens;
  pool->program->stats.busy_ns += now_ns() - begin;
  *out = pool->ticket;
  return VERNAL_OK;
}

static int32_t check_ticket(const vernal_pool* pool, vernal_ticket ticket) {
  if (pool == NULL) return no_handle("a call for a step");
  if (ticket != 0 && ticket == pool->ticket) return VERNAL_OK;
  return fail(VERNAL_NOT_FOUND, "scalar_c: step %llu does not exist", (unsigned long long)ticket);
}

int32_t step_wait(vernal_pool* pool, vernal_ticket ticket, uint64_t timeout_ms) {
  (void)timeout_ms; /* the work was done by step_submit */
  return check_ticket(pool, ticket);
}

int32_t step_poll(vernal_pool* pool, vernal_ticket ticket, uint32_t* out_done) {
  *out_done = 1;
  return check_ticket(pool, ticket);
}

int32_t step_output(vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                    vernal_step_output* out) {
  const int32_t status = check_ticket(pool, ticket);
  if (status != VERNAL_OK) return status;
  const vernal_plan* plan = pool->program->plan;
  for (uint64_t i = 0; i < plan->num_nodes; ++i) {
    const struct node* node = &plan->nodes[i];
    if (node->operation != kOutput || !is_text(name, node->name)) continue;
    vernal_step_output output = {0};
    output.data = pool->program->values[node->x];
    output.rows = plan->values[node->x].is_rows ? pool->num_rows : pool->num_tokens;
    output.columns = (uint64_t)plan->values[node->x].columns;
    copy_out(&output, sizeof(output), out);
    return VERNAL_OK;
  }
  return fail(VERNAL_NOT_FOUND, "scalar_c: output \"%.*s\" does not exist", FROZEN_ARGUMENT(name));
}

int32_t step_release(vernal_pool* pool, vernal_ticket ticket) {
  const int32_t status = check_ticket(pool, ticket);
  if (status == VERNAL_OK) pool->ticket = 0;
  return status;
}
