#!/usr/bin/env bash
# Prints how many compilers may run at once: one a core, but the largest files take about 1.5 GB each.
set -euo pipefail
cores=$(nproc)
by_memory=$(awk '/^MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
echo $((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))
