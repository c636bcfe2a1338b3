#!/usr/bin/env bash
# `make demo`: a real sweep on real data. Its store lives in .demo/, so nothing outside this folder is touched.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
BIN="${BIN:-$root/.venv/bin}"
export SWEEP_HOME="${SWEEP_HOME:-$root/.demo}"
# Two trials share the machine: one thread each is faster than all of them fighting.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
printf 'In another terminal: export SWEEP_HOME=%q PATH=%q:"$PATH"; sweep ls\n' "$SWEEP_HOME" "$BIN"
# Not from the example's folder: the line that repeats the best trial is then right for the terminal of who started this.
exec "$BIN/sweep" run "$root/examples/digits/sweep.yaml" --slots 2 "$@"
