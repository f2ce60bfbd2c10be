#!/usr/bin/env bash
# Does tests/run.sh tell the truth? A copy of it runs make-believe test projects with a make-believe dotnet.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
world=$(mktemp -d)
trap 'rm -rf "$world"' EXIT
mkdir -p "$world/tests" "$world/bin"
cp "$here/../run.sh" "$world/tests/"

# The project's name says what its tests do. The last argument is the report's path.
cat > "$world/bin/dotnet" <<'TEXT'
#!/usr/bin/env bash
report() { printf '<?xml version="1.0"?><assemblies><assembly name="x" errors="%s" failed="%s" not-run="0" passed="%s" skipped="%s" total="9"></assembly></assemblies>' "$@" > "$file"; }
[[ $1 == build ]] && exit "${BUILD_STATUS:-0}"
file=${!#}
case $2 in
  *Good.dll) report 0 0 3 1 ;;
  *Bad.dll) report 0 2 1 0; exit 1 ;;
  *Error.dll) report 1 0 4 0; exit 1 ;;
  *Empty.dll) report 0 0 0 0 ;;
  *Crash.dll) kill -ABRT $$ ;;
  *Leave.dll) exit 0 ;;
  *Hang.dll) sleep 60 ;;
esac
TEXT
# What it installs is written down; a package that is named Broken fails.
cat > "$world/bin/npm" <<'TEXT'
#!/usr/bin/env bash
printf '%s\n' "${3##*/tests/}" >> "${0%/*}/installed"
[[ $3 != *Broken* ]] || exit 1
mkdir -p "$3/node_modules" && touch "$3/node_modules/.package-lock.json"
TEXT
printf '#!/usr/bin/env bash\n' > "$world/bin/node"
printf '#!/usr/bin/env bash\n' > "$world/bin/chromium"
chmod +x "$world"/bin/*

project() {
  mkdir -p "$world/tests/$1/bin/Release/net10.0"
  printf '<Project><OutputType>Exe</OutputType><PackageReference Include="xunit.v3" /></Project>' > "$world/tests/$1/$1.csproj"
  [[ $1 == Unbuilt ]] || touch "$world/tests/$1/bin/Release/net10.0/$1.dll"
}
for name in Good Bad Error Empty Crash Leave Hang Unbuilt; do project "$name"; done
# script PROJECT: it runs JavaScript that has packages.
script() {
  mkdir -p "$world/tests/$1/web"
  printf 'NodeFolder' > "$world/tests/$1/$1.cs"
  touch -d yesterday "$world/tests/$1/web/package-lock.json"
}
mkdir "$world/tests/Library" && printf '<Project />' > "$world/tests/Library/Library.csproj"

faults=0
# expect STATUS LAST-LINE ARGUMENTS...: what run.sh answers.
expect() {
  local status=0 output
  output=$(cd / && env -u CONFIGURATION PATH="$world/bin:$PATH" TEST_LIMIT_SECONDS=1 bash "$world/tests/run.sh" "${@:3}" 2>&1) || status=$?
  # shellcheck disable=SC2053  # the last line is a pattern
  if [[ $status != "$1" || ${output##*$'\n'} != $2 ]]; then
    printf 'run.sh %s: exit code %s and "%s" expected, but it was %s and:\n%s\n' "${*:3}" "$1" "$2" "$status" "$output"
    faults=$((faults + 1))
  fi
}

expect 0 "Tests: 3 passed, 0 failed, 1 skipped" Good
expect 1 "Tests: 1 passed, 2 failed, 0 skipped" Bad
expect 1 "Tests: 4 passed, 1 failed, 0 skipped" Error
expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Empty
expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Crash
expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Leave
expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Hang
expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Unbuilt
expect 1 "Tests: 8 passed, 8 failed, 1 skipped" --no-build
expect 2 "No test project*" Library
expect 2 "*" --wrong
expect 2 "*" one two
expect 0 "*else 1." --help
# installed TEXT: what npm was asked for so far.
installed() {
  if [[ $(cat "$world/bin/installed" 2>/dev/null) != "$1" ]]; then
    printf 'npm was to install "%s", but it was: %s\n' "$1" "$(cat "$world/bin/installed" 2>/dev/null)"
    faults=$((faults + 1))
  fi
}

installed ""
script Good
expect 0 "Tests: 3 passed, 0 failed, 1 skipped" Good
expect 0 "Tests: 3 passed, 0 failed, 1 skipped" Good
expect 1 "Tests: 1 passed, 2 failed, 0 skipped" Bad
installed "Good/web"
touch "$world/tests/Good/web/package-lock.json"
mkdir "$world/tests/Broken" && mkdir "$world/tests/Broken/web" && touch "$world/tests/Broken/web/package-lock.json"
expect 0 "Tests: 3 passed, 0 failed, 1 skipped" Good
installed $'Good/web\nBroken/web\nGood/web'
BUILD_STATUS=1 expect 1 "Tests: 0 passed, 1 failed, 0 skipped" Good
exit "$((faults > 0))"
