/* A libcuda.so.1 that answers what the environment says, for tests of what the plugin says of drivers.
 *
 *   STUB_VERSION     of CUDA, 13000 for 13.0
 *   STUB_INIT        answer of cuInit
 *   STUB_DEVICES     NAME=MAJOR.MINOR, separated by semicolons
 *   STUB_OPEN        answer of cuDevicePrimaryCtxRetain
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_of(const char* name) {
  const char* const text = getenv(name);
  return text == NULL ? 0 : atoi(text);
}

/* Where the description of a device begins, or NULL. */
static const char* device_at(int device) {
  const char* at = getenv("STUB_DEVICES");
  for (; at != NULL && *at != '\0' && device > 0; --device) {
    at = strchr(at, ';');
    if (at != NULL) ++at;
  }
  return at != NULL && *at != '\0' && device == 0 ? at : NULL;
}

int cuDriverGetVersion(int* out) {
  *out = number_of("STUB_VERSION");
  return 0;
}

int cuInit(unsigned flags) {
  (void)flags;
  return number_of("STUB_INIT");
}

int cuGetErrorString(int error, const char** out) {
  *out =
      error == 803 ? "system has unsupported display driver / cuda driver combination" : "no text";
  return 0;
}

int cuDeviceGetCount(int* out) {
  for (*out = 0; device_at(*out) != NULL; ++*out) {
  }
  return 0;
}

int cuDeviceGetName(char* out, int size, int device) {
  const char* const at = device_at(device);
  if (at == NULL) return 101;
  snprintf(out, (size_t)size, "%.*s", (int)strcspn(at, "="), at);
  return 0;
}

int cuDeviceGetAttribute(int* out, int attribute, int device) {
  const char* const at = device_at(device);
  int major = 0;
  int minor = 0;
  if (at == NULL || sscanf(at + strcspn(at, "="), "=%d.%d", &major, &minor) != 2) return 101;
  *out = attribute == 75 ? major : attribute == 76 ? minor : 48;
  return 0;
}

int cuDevicePrimaryCtxRetain(void** out, int device) {
  static int context;
  (void)device;
  *out = &context;
  return number_of("STUB_OPEN");
}

int cuDevicePrimaryCtxRelease_v2(int device) {
  (void)device;
  return 0;
}

int cuCtxPushCurrent_v2(void* context) {
  (void)context;
  return 0;
}

int cuCtxPopCurrent_v2(void** out) {
  *out = NULL;
  return 0;
}

int cuMemGetInfo_v2(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = (size_t)16376 << 20;
  *free_bytes = (size_t)15929 << 20;
  return 0;
}
