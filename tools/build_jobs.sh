#!/usr/bin/env bash
# Prints how many compilers may run at the same time: one for each core, but only as many as fit into memory. A compiler
# takes up to 1.5 GB.
set -euo pipefail
cores=$(nproc)
by_memory=$(awk '/^MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
echo $((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))
