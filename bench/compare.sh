#!/usr/bin/env bash
# The same work by CloudPeer, Yjs, Automerge and Loro, each phase in a process of its own: one JSON line a measurement, then a table.
# usage: bench/compare.sh [--tasks N] [--rounds N] [--engines "cloudpeer cloudpeer-core yjs automerge loro"] [--out FILE]
set -euo pipefail
cd "$(dirname "$0")"

tasks=100000
rounds=1
engines="cloudpeer cloudpeer-core yjs automerge loro"
out=""
while (($#)); do
  case "$1" in
    --tasks) tasks="$2" ;;
    --rounds) rounds="$2" ;;
    --engines) engines="$2" ;;
    --out) out="$2" ;;
    *) sed -n 3p "$0" | cut -c3- >&2; exit 2 ;;
  esac
  shift 2
done

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
lines="${out:-$folder/lines.jsonl}"
: > "$lines"

COMPARE_COMMIT="$(git rev-parse --short HEAD)$(git diff --quiet HEAD -- ../src . || echo +)"
COMPARE_MACHINE="$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
export COMPARE_COMMIT COMPARE_MACHINE

dotnet build CloudPeer.Bench -c Release -nologo -v q >&2
[[ -d compare/node_modules ]] || npm ci --prefix compare --no-audit --no-fund >&2

for ((round = 1; round <= rounds; round++)); do
  for engine in $engines; do
    case "$engine" in
      cloudpeer) phases="write load" ;;
      cloudpeer-core) phases="write merge" ;;
      *) phases="write load merge" ;;
    esac
    for phase in $phases; do
      echo "round $round: $engine $phase" >&2
      if [[ "$engine" == cloudpeer* ]]; then
        dotnet exec CloudPeer.Bench/bin/Release/net10.0/CloudPeer.Bench.dll compare "$engine" "$phase" "$tasks" "$folder"
      else
        node compare/compare.mjs "$engine" "$phase" "$tasks" "$folder"
      fi | tee -a "$lines"
    done
    rm -rf "${folder:?}/$engine" "$folder/$engine.bin"
  done
done

node compare/table.mjs "$lines"
