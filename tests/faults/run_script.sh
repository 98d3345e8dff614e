#!/usr/bin/env bash
# What cmake/run.sh answers to bad input, and on a system it cannot install packages on. Usage: run_script.sh RUN_SH
set -uo pipefail
script=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bash=$(command -v bash)
failures=0

# expect STATUS WORD... -- COMMAND...: the command's exit status, and words that it prints.
expect() {
  local expected=$1 words=() word status
  shift
  while [[ $1 != -- ]]; do
    words+=("$1")
    shift
  done
  shift
  "$@" >"$folder/output" 2>&1
  status=$?
  if ((status != expected)); then
    echo "FAILED: $*: exit status $status, expected $expected"
    cat "$folder/output"
    failures=$((failures + 1))
  fi
  for word in "${words[@]}"; do
    grep -qF -- "$word" "$folder/output" && continue
    echo "FAILED: $*: does not print '$word', but:"
    cat "$folder/output"
    failures=$((failures + 1))
  done
}

expect 0 demo test --no-install -- "$bash" "$script" help
expect 2 usage demo test -- "$bash" "$script"
expect 1 "unknown command 'tset'" help -- "$bash" "$script" tset
expect 1 "unknown option '--fast'" help -- "$bash" "$script" demo --fast
expect 1 "'demo' and 'test'" -- "$bash" "$script" demo test

# A system without apt: everything is listed, and nothing is tried.
mkdir "$folder/bin"
for tool in cat dirname grep; do ln -s "$(command -v $tool)" "$folder/bin/$tool"; done
expect 1 "Debian 12" --no-install libboost-dev libcli11-dev gnuplot-nox -- \
  env PATH="$folder/bin" "$bash" "$script" demo
expect 1 "Debian 12" --no-install libboost-test-dev libsundials-dev -- env PATH="$folder/bin" "$bash" "$script" test

exit "$((failures > 0))"
