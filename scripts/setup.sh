#!/usr/bin/env bash
# Installs what `make run` (argument: run), `make test` (test) or `make bench` (bench) needs and
# is not there yet: Debian's packages, a virtual environment in .venv, the package in it.
# Says what it does, does nothing twice, and where it may not install says what to type.
# PYTHON=/path/to/python chooses the interpreter for a new .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packages.sh
source scripts/packages.sh

goal=${1:?"usage: scripts/setup.sh run|test|bench"}
case $goal in
  run) packages=("${run_packages[@]}") extras=gui ;;
  test) packages=("${run_packages[@]}" "${test_packages[@]}") extras=gui,test ;;
  bench) packages=("${run_packages[@]}" "${test_packages[@]}") extras=gui,test,bench ;;
  *) echo "setup: no goal '$goal': use run, test or bench" >&2; exit 2 ;;
esac

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Prints the names among its arguments that no installed package bears or provides.
missing_packages() {
  dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' |
    awk -v wanted="$*" '
      $1 == "installed" { gsub(/\([^)]*\)|,/, " "); for (i = 2; i <= NF; i++) have[$i] = 1 }
      END { n = split(wanted, names, " "); for (i = 1; i <= n; i++) if (!(names[i] in have)) print names[i] }'
}

# Installs the packages named, or says how. Fails where they are not installed afterwards.
apt_install() {
  local missing said as_root=()
  if ! command -v apt-get dpkg-query >/dev/null; then
    say "no apt on this machine; if something is missing, look for what Debian calls: $*"
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if ((EUID)); then
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      say "Debian packages are missing; install them with"
      printf '  sudo apt-get install --no-install-recommends %s\n' "${missing[*]}"
      return 1
    fi
  fi
  say "installing Debian packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  if ! said=$({ "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends \
    "${missing[@]}"; } 2>&1 </dev/null); then
    say "apt could not install them:"
    tail -n 20 <<<"$said"
    return 1
  fi
}

# Prints the newest suitable Python that can make a virtual environment.
find_python() {
  local python
  for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
    then
      command -v "$python"
      return
    fi
  done
  return 1
}

make_venv() {
  local python
  # Looked for by running it: a .venv can outlive the Python it was made with.
  .venv/bin/python -c '' 2>/dev/null && return
  if ! python=$(find_python); then
    [[ -z ${PYTHON:-} ]] || stop "PYTHON=$PYTHON is no Python from 3.11 on with venv and ensurepip"
    apt_install "${python_packages[@]}" || true
    python=$(find_python) || stop "Python 3.11 or newer with venv is needed: install it and, if it \
is not on the PATH, name it with PYTHON=/path/to/python"
  fi
  say "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
}

# The stamp holds what the installation was made from; other contents mean: again.
install_package() {
  local stamp=.venv/installed-$extras wanted
  wanted=$(cksum pyproject.toml)
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && return
  say "installing the Python packages for [$extras] into .venv (a minute or two the first time)"
  .venv/bin/python -m pip install --disable-pip-version-check --editable ".[$extras]" |
    sed -un 's/^Collecting \([^ ]*\).*/  \1/p' ||
    stop "pip could not install them; what it said is above"
  echo "$wanted" >"$stamp"
}

if ! apt_install "${packages[@]}"; then
  [[ $goal == run ]] || stop "they are needed for make $goal: nothing may be left out there"
  say "going on without them; 'realtime doctor' tells what does not work"
fi
make_venv
install_package
