#!/bin/sh
# Measures a GPU beside the processor of the same machine, where there is one: passes, an interchange and
# writing, one JSON object a line. Usage, in the root of the repository after npm ci:
#   sh benchmarks/on-a-gpu.sh [webgpu|cuda|tensorrt]
set -eu
device=${1:-webgpu}
jobs="plain_T16 plain_T64 plain_B8_T32 interchange_mid_B8_T32 collect_all_T64 generate_plain_16+32"
for place in cpu "$device"; do
  npm run --silent bench -- --json --device "$place" $jobs
done
