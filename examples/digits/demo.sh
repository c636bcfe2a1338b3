#!/usr/bin/env bash
# `make demo`: a real sweep on real data. Its store lives in .demo/, so nothing outside this folder is touched.
set -euo pipefail
BIN="${BIN:-.venv/bin}"
root="$(cd "$(dirname "$0")/../.." && pwd)"
export SWEEP_HOME="${SWEEP_HOME:-$root/.demo}"
# Two trials share the machine: one thread each is faster than all of them fighting.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
cd "$root/examples/digits"
exec "$BIN/sweep" run sweep.yaml --slots 2
