/* An extension of backends, which get_extension of vernal_backend_api gives: whether the devices
 * that they compute on can be used now. A backend that runs wherever its library loads needs none.
 * Instances are opened and plans are made on any machine; what a program needs is asked here. */
#ifndef VERNAL_ABI_DEVICE_CHECK_H
#define VERNAL_ABI_DEVICE_CHECK_H

#include "vernal/abi/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_EXT_DEVICE_CHECK "vernal.ext.device_check/1"

typedef struct vernal_device_check_api {
  uint64_t struct_size;

  /* [control, blocks] Whether any device of this machine can be used.
   * Errors   UNAVAILABLE: none; the text says why in one sentence, and what helps. */
  int32_t (*check_machine)(void);

  /* [control, blocks] Whether the device of an instance can be used; if not, program_build of its
   * plans fails with the same text. Nothing is kept on the device.
   * Errors   UNAVAILABLE: the text says why in one sentence, and what helps. */
  int32_t (*check_instance)(const vernal_backend* backend);
} vernal_device_check_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_DEVICE_CHECK_H */
