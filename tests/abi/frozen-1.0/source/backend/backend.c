#include <stdio.h>
#include <stdlib.h>

#include "scalar.h"

FROZEN_DEFINE_MANIFEST("backend", "scalar_c", "");

static int32_t enumerate_devices(const vernal_device_sink* sink) {
  vernal_device_info device = {0};
  device.struct_size = sizeof(device);
  device.name = text_of("cpu");
  device.description = text_of("one thread, no vectors");
  device.num_workers = 1;
  const int32_t status = sink->add(sink->user, &device);
  return status == VERNAL_OK ? VERNAL_OK : fail(status, "scalar_c: the receiver refused a device");
}

static int32_t open_backend(vernal_config_view config, vernal_backend** out) {
  *out = NULL;
  if (!FROZEN_REACHES(config.api, vernal_config_api, origin)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_config_api: the table is too small");
  }
  *out = calloc(1, sizeof(**out));
  return *out != NULL ? VERNAL_OK : fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory");
}

static void close_backend(vernal_backend* backend) { free(backend); }

static int32_t op_support(vernal_backend* backend, vernal_module_ref module, uint64_t function,
                          uint64_t node, vernal_op_support* out, const vernal_sink* reason) {
  char text[256] = "";
  struct node read;
  vernal_op_support support = {0};
  if (backend == NULL) return no_handle("op_support");
  if (!FROZEN_REACHES(module.api, vernal_module_api, dump)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_module_api: the table is too small");
  }
  int32_t status = VERNAL_UNSUPPORTED;
  if (function == 0) {
    status = read_node(module, node, &read, text, sizeof(text));
  } else {
    snprintf(text, sizeof(text), "only the first function is taken");
  }
  if (status != VERNAL_OK && status != VERNAL_UNSUPPORTED) return status;
  support.supported = status == VERNAL_OK;
  copy_out(&support, sizeof(support), out);
  if (status == VERNAL_OK || reason == NULL) return VERNAL_OK;
  const vernal_str why = text_of(text);
  status = reason->write(reason->user, why.data, why.size);
  return status == VERNAL_OK ? VERNAL_OK : fail(status, "scalar_c: the receiver refused a reason");
}

static int32_t formats(vernal_backend* backend, const vernal_format_sink* sink) {
  vernal_format_row row = {0};
  (void)backend;
  row.struct_size = sizeof(row);
  row.format = text_of("f32");
  row.note = text_of("");
  row.support = VERNAL_FORMAT_NATIVE;
  const int32_t status = sink->add(sink->user, &row);
  return status == VERNAL_OK ? VERNAL_OK : fail(status, "scalar_c: the receiver refused a format");
}

static const vernal_backend_api kBackend = {
    .struct_size = sizeof(vernal_backend_api),
    .enumerate_devices = enumerate_devices,
    .open = open_backend,
    .close = close_backend,
    .op_support = op_support,
    .formats = formats,
    .plan = make_plan,
    .plan_info = plan_info,
    .plan_rows = plan_rows,
    .plan_destroy = plan_destroy,
    .program_build = program_build,
    .program_destroy = program_destroy,
    .pool_create = pool_create,
    .pool_destroy = pool_destroy,
    .pool_info = pool_info,
    .seq_create = seq_create,
    .seq_release = seq_release,
    .seq_reserve = seq_reserve,
    .seq_length = seq_length,
    .seq_restorable = seq_restorable,
    .seq_truncate = seq_truncate,
    .seq_fork = seq_fork,
    .seq_restore = seq_restore,
    .checkpoint_create = checkpoint_create,
    .checkpoint_info = checkpoint_info,
    .checkpoint_release = checkpoint_release,
    .snapshot_export = snapshot_export,
    .snapshot_import = snapshot_import,
    .step_submit = step_submit,
    .step_wait = step_wait,
    .step_poll = step_poll,
    .step_output = step_output,
    .step_release = step_release,
    .memory_report = memory_report,
    .stats = stats,
    .get_extension = no_extension,
};

FROZEN_DEFINE_PLUGIN(VERNAL_KIND_BACKEND, kBackend, NULL, 0);
