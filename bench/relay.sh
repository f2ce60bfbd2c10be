#!/usr/bin/env bash
# All works of the relay's load on both stores, one after the other: a JSON line a measurement, then a table (README.md, "The relay under load").
# usage: bench/relay.sh [--stores "sqlite postgres"] [--works "W1a W1b ..."] [--out FILE] [options of load]
set -euo pipefail
cd "$(dirname "$0")"

stores="sqlite postgres"
works="W1a W1b W2 W3 W4 mixed slow nodes growth raw"
out=""
options=()
while (($#)); do
  case "$1" in
    --stores) stores="$2"; shift ;;
    --works) works="$2"; shift ;;
    --out) out="$2"; shift ;;
    --help) sed -n 3p "$0" | cut -c3- >&2; exit 2 ;;
    *) options+=("$1") ;;
  esac
  shift
done

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
lines="${out:-$folder/lines.jsonl}"
: > "$lines"

dotnet build CloudPeer.Bench -c Release -nologo -v q >&2
bench() { dotnet exec CloudPeer.Bench/bin/Release/net10.0/CloudPeer.Bench.dll "$@"; }

for store in $stores; do
  for work in $works; do
    # Two servers need a database that they can share.
    [[ "$store $work" != "sqlite nodes" ]] || continue
    # What readers or another server cost shows only where one core is enough for two servers and the database.
    fixed=()
    [[ "$work" != slow && "$work" != nodes ]] || fixed=(--rate 100 --subscribers 20)
    echo "$work on $store" >&2
    bench load "$work" --store "$store" "${fixed[@]}" "${options[@]}" | tee -a "$lines" >&2
  done
done

bench load-table "$lines"
