#include <stdio.h>
#include <string.h>

#include "scalar.h"

static const struct {
  const char* id;
  enum operation operation;
  const char* attributes; /* the names it knows, each between spaces */
} kOperations[] = {
    {"vernal.input/1", kInput, " name dtype shape "},
    {"vernal.embed/1", kEmbed, " scale out "},
    {"vernal.select_rows/1", kSelectRows, " "},
    {"vernal.rmsnorm/1", kRmsnorm, " eps out "},
    {"vernal.linear/1", kLinear, " out "},
    {"vernal.output/1", kOutput, " name rows "},
};

static const vernal_attr* attribute(const vernal_node_view* node, uint64_t index) {
  return (const vernal_attr*)(const void*)((const char*)node->attrs + index * node->attr_stride);
}

/* What changes results must be known; the rest is a hint. */
static const vernal_attr* unknown_attribute(const vernal_node_view* node, const char* known) {
  for (uint64_t i = 0; i < node->num_attrs; ++i) {
    const vernal_attr* attr = attribute(node, i);
    char word[48];
    if (attr->name.size >= 5 && memcmp(attr->name.data, "hint:", 5) == 0) continue;
    snprintf(word, sizeof(word), " %.*s ", FROZEN_ARGUMENT(attr->name));
    if (strstr(known, word) == NULL) return attr;
  }
  return NULL;
}

static const vernal_attr* find_attribute(const vernal_node_view* node, const char* name) {
  for (uint64_t i = 0; i < node->num_attrs; ++i) {
    if (is_text(attribute(node, i)->name, name)) return attribute(node, i);
  }
  return NULL;
}

static double number_or(const vernal_node_view* node, const char* name, double otherwise) {
  const vernal_attr* attr = find_attribute(node, name);
  if (attr == NULL) return otherwise;
  return attr->type == VERNAL_ATTR_INT ? (double)attr->integer : attr->number;
}

/* Operand `index` as what it must be; 0 if it is something else. */
static int operand_is(const vernal_node_view* node, uint64_t index, uint32_t kind, uint32_t* out) {
  if (index >= node->num_operands || node->operands[index].kind != kind) return 0;
  *out = node->operands[index].index;
  return 1;
}

static int operand_is_none(const vernal_node_view* node, uint64_t index) {
  return index >= node->num_operands || node->operands[index].kind == VERNAL_OPERAND_NONE;
}

static int32_t refuse(char* reason, size_t size, const vernal_node_view* node, const char* why) {
  snprintf(reason, size, "%.*s (%.*s): %s", FROZEN_ARGUMENT(node->op), FROZEN_ARGUMENT(node->path),
           why);
  return VERNAL_UNSUPPORTED;
}

/* Weights are f32, and nothing else. */
static const char* weight_problem(vernal_module_ref module, uint32_t index) {
  vernal_weight_view weight = {0};
  weight.struct_size = sizeof(weight);
  if (module.api->weight(module.module, index, &weight) != VERNAL_OK) return "no such weight";
  return is_text(weight.format, "f32") ? NULL : "a weight has another format than f32";
}

static const char* operand_problem(const vernal_node_view* node, struct node* out) {
  switch (out->operation) {
    case kInput:
      return NULL;
    case kEmbed:
    case kRmsnorm:
    case kLinear:
      if (!operand_is(node, 0, VERNAL_OPERAND_VALUE, &out->x)) return "operand 0 is no value";
      out->has_weight = operand_is(node, 1, VERNAL_OPERAND_WEIGHT, &out->weight);
      if (!out->has_weight && out->operation != kRmsnorm) return "operand 1 is no weight";
      out->has_bias =
          out->operation == kLinear && operand_is(node, 2, VERNAL_OPERAND_WEIGHT, &out->bias);
      return out->has_bias || operand_is_none(node, 2) ? NULL : "operand 2 is no weight";
    case kSelectRows:
      return operand_is(node, 0, VERNAL_OPERAND_VALUE, &out->x) &&
                     operand_is(node, 1, VERNAL_OPERAND_VALUE, &out->rows)
                 ? NULL
                 : "an operand is no value";
    case kOutput:
      return operand_is(node, 0, VERNAL_OPERAND_VALUE, &out->x) ? NULL : "operand 0 is no value";
  }
  return "an operation that is not known";
}

/* The kind of data an input brings: it must be whole numbers. */
static const char* input_problem(vernal_module_ref module, const struct node* node) {
  vernal_value_view value = {0};
  value.struct_size = sizeof(value);
  if (node->operation != kInput) return NULL;
  if (module.api->value(module.module, 0, node->out, &value) != VERNAL_OK) return "no such value";
  return value.element == VERNAL_ELEMENT_I32 ? NULL : "an input that is not i32";
}

int32_t read_node(vernal_module_ref module, uint64_t index, struct node* out, char* reason,
                  size_t reason_size) {
  vernal_node_view view = {0};
  view.struct_size = sizeof(view);
  memset(out, 0, sizeof(*out));
  const int32_t status = module.api->node(module.module, 0, index, &view);
  if (status != VERNAL_OK) return status;
  const size_t count = sizeof(kOperations) / sizeof(kOperations[0]);
  size_t known = 0;
  while (known < count && !is_text(view.op, kOperations[known].id)) ++known;
  if (known == count) return refuse(reason, reason_size, &view, "an operation that is not known");
  out->operation = kOperations[known].operation;
  const vernal_attr* stranger = unknown_attribute(&view, kOperations[known].attributes);
  if (stranger != NULL) {
    char why[96];
    snprintf(why, sizeof(why), "attribute \"%.*s\" is not known", FROZEN_ARGUMENT(stranger->name));
    return refuse(reason, reason_size, &view, why);
  }
  const vernal_attr* name = find_attribute(&view, "name");
  if (name != NULL) {
    snprintf(out->name, sizeof(out->name), "%.*s", FROZEN_ARGUMENT(name->text));
  }
  out->number = out->operation == kRmsnorm ? number_or(&view, "eps", 0) : 1;
  if (out->operation == kEmbed) out->number = number_or(&view, "scale", 1);
  if (view.num_outputs > 0) out->out = view.outputs[0];
  const char* problem = operand_problem(&view, out);
  if (problem == NULL && out->has_weight) problem = weight_problem(module, out->weight);
  if (problem == NULL && out->has_bias) problem = weight_problem(module, out->bias);
  if (problem == NULL) problem = input_problem(module, out);
  return problem == NULL ? VERNAL_OK : refuse(reason, reason_size, &view, problem);
}

int32_t check_module(vernal_module_ref module, vernal_module_info* info,
                     vernal_function_view* function) {
  memset(info, 0, sizeof(*info));
  memset(function, 0, sizeof(*function));
  info->struct_size = sizeof(*info);
  function->struct_size = sizeof(*function);
  if (!FROZEN_REACHES(module.api, vernal_module_api, dump)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_module_api: the table is too small");
  }
  const int32_t status = module.api->info(module.module, info);
  if (status != VERNAL_OK) return status;
  if (info->num_functions != 1 || info->num_states != 0) {
    return fail(VERNAL_UNSUPPORTED,
                "scalar_c: expected one function and no states, found %llu and %llu",
                (unsigned long long)info->num_functions, (unsigned long long)info->num_states);
  }
  return module.api->function(module.module, 0, function);
}

int32_t read_value(vernal_module_ref module, uint64_t index, struct value* out) {
  vernal_value_view view = {0};
  view.struct_size = sizeof(view);
  const int32_t status = module.api->value(module.module, 0, index, &view);
  if (status != VERNAL_OK) return status;
  out->columns = 1;
  for (uint32_t i = 1; i < view.rank; ++i) out->columns *= view.dims[i];
  out->is_rows = view.dims[0] == VERNAL_DIM_ROWS;
  if (out->is_rows || view.dims[0] == VERNAL_DIM_TOKENS) return VERNAL_OK;
  return fail(VERNAL_UNSUPPORTED, "scalar_c: value %llu has neither T nor R rows",
              (unsigned long long)index);
}
