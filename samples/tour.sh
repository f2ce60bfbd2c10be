#!/usr/bin/env bash
# Two people edit one document although they are never online at the same time.
# Start a server first (dotnet run --project src/CloudPeer.Api), then: bash samples/tour.sh [URL]
# Two temporary folders stand for the devices of Anna and Bob; they are deleted at the end.
set -euo pipefail

url=${1:-http://localhost:5180}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
homes=$(mktemp -d)
trap 'rm -rf "$homes"' EXIT

# The tool: $TLFS if it is set, an installed one, else this checkout's.
if [[ -n ${TLFS:-} ]]; then
  read -ra tlfs <<<"$TLFS"
elif command -v tlfs >/dev/null; then
  tlfs=(tlfs)
else
  echo "Building the tool ..."
  dotnet build "$here/../src/Tlfs.Cli" --configuration Release -nodeReuse:false -verbosity:quiet -nologo
  tlfs=(dotnet exec "$here/../src/Tlfs.Cli/bin/Release/net10.0/tlfs.dll")
fi

say() { printf '\n# %s\n' "$*"; }

# run PERSON ARGUMENT...: shows a command and runs it.
run() {
  local person=$1 word shown=""
  shift
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9._:/=,@-]+$ ]]; then shown+=" $word"; else shown+=" '$word'"; fi
  done
  printf '\n%s$ tlfs%s\n' "$person" "$shown"
  "${tlfs[@]}" --home "$homes/$person" "$@"
}

# ask MEMBER PERSON ARGUMENT...: runs a command quietly and prints one member of its JSON line.
ask() {
  local member=$1 person=$2
  shift 2
  "${tlfs[@]}" --home "$homes/$person" --json "$@" | sed -n "s/.*\"$member\":\"\([^\"]*\)\".*/\1/p" | head -n 1
}

say "Bob makes an account, tells a cloudpeer that it exists, and goes offline."
run bob init --name bob
run bob cloudpeer add "$url"
bob=$(ask account bob id)

say "Anna makes a list and writes in it. None of this needs a network."
run anna init --name anna
run anna schema add "$here/TodoApp/todoapp.tlfs"
document=$(ask doc anna doc create todoapp)
run anna doc set "$document" .title '"Shopping"'
run anna doc insert "$document" .tasks 0 '{"title":"milk"}'
run anna doc insert "$document" .tasks 1 '{"title":"bread"}'
run anna doc insert "$document" .tasks 2 '{"title":"a present for Bob"}'
run anna doc show "$document"

say "She lets Bob write in it, invites him, sends all that to the cloudpeer, and goes offline."
run anna cloudpeer add "$url"
run anna grant "$document" "$bob" write
run anna invite "$document" "$bob" --note "our shopping list"
run anna sync

say "Only now Bob is back. He accepts, receives, edits, and goes offline again."
run bob invites
run bob accept "$(ask invite bob invites)"
run bob sync
run bob doc show "$document"
run bob doc set "$document" '.tasks[0].complete' true
run bob doc remove "$document" '.tasks[2]'
run bob sync

say "Anna comes back."
run anna sync
run anna doc show "$document"
run anna doc verify "$document"
run anna status

if [[ $("${tlfs[@]}" --home "$homes/anna" doc show "$document") == "$("${tlfs[@]}" --home "$homes/bob" doc show "$document")" ]]; then
  say "Both see the same document, byte for byte, and the server could read none of it."
else
  say "The two copies differ. That is a bug."
  exit 1
fi
