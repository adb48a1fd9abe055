// A management library that sees one device: at 1200 MHz, held down by its power limit.
typedef struct {
  int nothing;
} Device;
static Device device;

#define NVML __attribute__((visibility("default")))

NVML int nvmlInit_v2(void) { return 0; }
NVML int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** out) {
  *out = &device;
  return index == 0 ? 0 : 6;
}
NVML int nvmlSystemGetDriverVersion(char* version, unsigned size) {
  const char text[] = "580.65.06";
  for (unsigned i = 0; i < sizeof(text) && i < size; ++i) version[i] = text[i];
  return 0;
}
// What is asked for (1: multiprocessors, 2: memory) and the answer in MHz.
NVML int nvmlDeviceGetClockInfo(void* of, unsigned what, unsigned* mhz) {
  *mhz = what == 1 ? 1200 : 7001;
  return of == &device ? 0 : 2;
}
NVML int nvmlDeviceGetMaxClockInfo(void* of, unsigned what, unsigned* mhz) {
  *mhz = what == 1 ? 1560 : 7001;
  return of == &device ? 0 : 2;
}
NVML int nvmlDeviceGetEnforcedPowerLimit(void* of, unsigned* milliwatts) {
  *milliwatts = 140000;
  return of == &device ? 0 : 2;
}
NVML int nvmlDeviceGetPowerUsage(void* of, unsigned* milliwatts) {
  *milliwatts = 139500;
  return of == &device ? 0 : 2;
}
NVML int nvmlDeviceGetTemperature(void* of, unsigned sensor, unsigned* degrees) {
  *degrees = 71;
  return of == &device && sensor == 0 ? 0 : 2;
}
// The name of newer drivers alone.
NVML int nvmlDeviceGetCurrentClocksEventReasons(void* of, unsigned long long* reasons) {
  *reasons = 0x4;
  return of == &device ? 0 : 2;
}
