#!/usr/bin/env bash
# Runs every test of this repository and says what it did. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
configuration=${CONFIGURATION:-Release}
# A hung project is a failed project; the longest one takes a small part of this.
limit_seconds=${TEST_LIMIT_SECONDS:-900}
filter=""
build=yes

usage() {
  cat <<'TEXT'
Usage: bash tests/run.sh [--no-build] [--help] [FILTER]

Builds the solution once and runs its test projects, one after the other.
FILTER      only the test projects whose name contains this text
--no-build  the solution is built already, in the same configuration

Environment: CONFIGURATION (Release), TEST_LIMIT_SECONDS per project (900).
Reports are written to TestResults/. Tests that need PostgreSQL start a private server, those
in a browser need Chromium: as root on Debian both are installed when missing, else this says
what to install. Tests that run JavaScript need Node 20.19 or newer with npm; the packages of
the lock files are installed here.
The last line is: Tests: N passed, N failed, N skipped
The exit code is 0 when at least one test ran and none failed, 2 for wrong usage, else 1.
TEXT
}

say() { printf '%s\n' "$*"; }

# Everything that the tests need beside the .NET SDK.
have_postgres() {
  local folder
  for folder in /usr/lib/postgresql/*/bin; do
    [[ -x $folder/initdb && -x $folder/postgres ]] && return 0
  done
  command -v initdb >/dev/null && command -v postgres >/dev/null
}

have_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

install_postgres() {
  say "== Installing PostgreSQL's server programs (apt-get install postgresql)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # The package would create and start a server of its own, which nobody here needs.
  apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
  if [[ -f /etc/postgresql-common/createcluster.conf ]]; then
    sed -i 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
}

prepare_postgres() {
  if have_postgres; then return; fi
  if [[ $(id -u) == 0 && -f /etc/debian_version ]] && install_postgres && have_postgres; then return; fi
  if have_docker; then
    say "== No PostgreSQL server programs here; the tests use containers."
    return
  fi
  say "== PostgreSQL is missing, so the tests that need it will fail. Install its server programs"
  say "   (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17) or start a Docker engine."
}

have_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }

install_chromium() {
  say "== Installing Chromium (apt-get install chromium)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

prepare_chromium() {
  if have_chromium; then return; fi
  if [[ $(id -u) == 0 && -f /etc/debian_version ]] && install_chromium && have_chromium; then return; fi
  say "== Chromium is missing, so the tests in a browser will fail. Install it"
  say "   (Debian: apt-get install chromium; Ubuntu: snap install chromium; macOS: set CHROMIUM to its program)."
}

# The folders of JavaScript with a lock file. npm writes .package-lock.json last: where it is newer, everything is there.
prepare_node() {
  local lock folder
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "== Node is missing, so the tests that run JavaScript will fail. Install Node 20.19 or newer with npm (https://nodejs.org)."
    return
  fi
  for lock in "$root"/samples/*/package-lock.json "$root"/tests/*/web/package-lock.json; do
    folder=$(dirname "$lock")
    if [[ ! -f $lock || $folder/node_modules/.package-lock.json -nt $lock ]]; then continue; fi
    say "== Installing the packages of ${folder#"$root"/} (npm ci)"
    if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=5 >/dev/null; then
      say "== The packages of ${folder#"$root"/} could not be installed, so its tests will fail."
    fi
  done
}

# prepare_for PATTERN COMMAND: runs the command if a project that is to run names this in its code.
prepare_for() {
  local project
  for project in "${projects[@]}"; do
    if grep -rqE "$1" --include='*.cs' "$(dirname "$project")"; then
      "$2"
      return
    fi
  done
}

test_projects() {
  local project
  for project in "$root"/tests/*/*.csproj; do
    grep -q '<OutputType>Exe</OutputType>' "$project" || continue
    grep -q 'Include="xunit.v3"' "$project" || continue
    [[ $(basename "$project" .csproj) == *"$filter"* ]] && printf '%s\n' "$project"
  done
  return 0
}

# attribute NAME FILE: the number in the report's <assembly> element, or nothing.
attribute() {
  [[ -s $2 ]] || return 0
  sed -n "s/.*<assembly [^>]* $1=\"\([0-9]*\)\".*/\1/p" "$2"
}

passed=0
failed=0
skipped=0
broken=()

# run_project PROJECT: runs one test executable, prints one line, adds to the totals.
run_project() {
  local project=$1 name assembly report started seconds status=0
  name=$(basename "$project" .csproj)
  assembly=$(find "$(dirname "$project")" -path "*/bin/$configuration/*" -name "$name.dll" -not -path '*/ref/*')
  assembly=${assembly%%$'\n'*}
  report=$root/TestResults/$name.xml
  rm -f "$report"
  started=$SECONDS
  say "== $name"
  if [[ -z $assembly ]]; then
    status=127
  else
    (cd "$root" && timeout --kill-after=30 "$limit_seconds" dotnet exec "$assembly" -noColor -noLogo -xml "$report") || status=$?
  fi
  seconds=$((SECONDS - started))

  local p f s e
  p=$(attribute passed "$report")
  f=$(attribute failed "$report")
  s=$(attribute skipped "$report")
  e=$(attribute errors "$report")
  p=${p:-0} f=${f:-0} s=${s:-0} e=${e:-0}

  local verdict="passed"
  if ((f + e > 0)); then
    verdict="FAILED"
    f=$((f + e))
  elif ((status == 124 || status == 137)); then
    verdict="FAILED: did not end within $limit_seconds s"
    f=1
  elif ((status == 127)) && [[ -z $assembly ]]; then
    verdict="FAILED: it is not built in configuration $configuration"
    f=1
  elif ((status != 0)); then
    verdict="FAILED: crashed with exit code $status"
    f=1
  elif ((p + s == 0)); then
    verdict="FAILED: no test ran"
    f=1
  fi

  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  ((f > 0)) && broken+=("$name")
  say "   $name $verdict: $p passed, $f failed, $s skipped in $seconds s"
}

# run_script SCRIPT: a self-check of a shell script counts as one test.
run_script() {
  local script=$1 name started=$SECONDS status=0
  name=${script#"$root"/}
  say "== $name"
  timeout --kill-after=30 "$limit_seconds" bash "$script" || status=$?
  if ((status == 0)); then
    passed=$((passed + 1))
    say "   $name passed in $((SECONDS - started)) s"
  else
    failed=$((failed + 1))
    broken+=("$name")
    say "   $name FAILED with exit code $status in $((SECONDS - started)) s"
  fi
}

finish() {
  if ((${#broken[@]} > 0)); then say "== Failed: ${broken[*]}"; fi
  say "Tests: $passed passed, $failed failed, $skipped skipped"
  if ((failed > 0 || passed == 0)); then exit 1; fi
  exit 0
}

while (($# > 0)); do
  case $1 in
    --help | -h) usage && exit 0 ;;
    --no-build) build=no ;;
    -*) usage >&2 && exit 2 ;;
    *) [[ -z $filter ]] || { usage >&2 && exit 2; }; filter=$1 ;;
  esac
  shift
done

mapfile -t projects < <(test_projects)
scripts=()
for script in "$root"/tests/shell/*.sh; do
  [[ -f $script && $(basename "$script") == *"$filter"* ]] && scripts+=("$script")
done
if ((${#projects[@]} + ${#scripts[@]} == 0)); then
  say "No test project or script is named like '$filter'." >&2
  exit 2
fi

cd "$root"
prepare_for 'Postgres(Cluster|Fixture)' prepare_postgres
prepare_for 'NodeFolder' prepare_node
prepare_for 'Chromium' prepare_chromium

if [[ $build == yes ]]; then
  say "== Building ($configuration)"
  if ! dotnet build CloudPeer.sln --configuration "$configuration" -nodeReuse:false -verbosity:quiet -nologo; then
    say "== The build failed; no test ran."
    failed=1
    broken+=("build")
    finish
  fi
fi

mkdir -p TestResults
for project in "${projects[@]}"; do run_project "$project"; done
for script in "${scripts[@]}"; do run_script "$script"; done
finish
