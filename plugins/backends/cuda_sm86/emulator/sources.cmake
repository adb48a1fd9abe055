# The emulator's sources, from plugins/backends/cuda_sm86. They need Boost::context, and optimisation even
# in debug builds: with -O1 products of a warp take four times as long as with -O2.
set(VERNAL_CUDA_EMULATOR_SOURCES
  emulator/block.cpp
  emulator/block_report.cpp
  emulator/crash_report.cpp
  emulator/device.cpp
  emulator/fiber.cpp
  emulator/launch.cpp
  emulator/matrix.cpp
  emulator/memory/global_memory.cpp
  emulator/memory/memory_access.cpp
  emulator/memory/shared_memory.cpp
  emulator/runtime/device.cpp
  emulator/runtime/graphs.cpp
  emulator/runtime/memory.cpp
  emulator/runtime/streams.cpp
  emulator/schedule.cpp
  emulator/settings.cpp
  emulator/streams.cpp
  emulator/testing.cpp
  emulator/traffic/traffic.cpp
  emulator/warp.cpp)
