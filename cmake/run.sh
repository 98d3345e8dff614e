#!/usr/bin/env bash
# From a fresh machine to a verdict, or to tested code: see `bash cmake/run.sh help`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's names of what is needed, by purpose.
packages_library=(g++ cmake ninja-build libboost-dev libhwy-dev nlohmann-json3-dev libdnnl-dev)
packages_command=(libeigen3-dev libhdf5-dev libcli11-dev libfftw3-dev)
packages_plot=(gnuplot-nox)
packages_test=(libboost-test-dev libbenchmark-dev pkgconf python3 python3-numpy python3-h5py python3-onnx)
packages_adapters=(libsundials-dev gfortran libopenmpi-dev libonnx-dev libprotobuf-dev)
# Formatting differs between versions of clang-format; the check is made with this one and skipped without it.
clang_format_major=14

usage() {
  cat <<'TEXT'
usage: bash cmake/run.sh COMMAND [--no-install]

  demo          build the lodestep command, learn a stepper for the elastic pendulum, and measure it against the
                classical steppers: prints the verdict and where the plot is (in build/demo)
  test          build everything (in build/ci) and run the tests; those that take long or need a quiet
                machine are left out: ctest --preset ci -L 'paper|benchmarks|memory'
  build         build everything, without running anything
  install-deps  install what building and testing need, and no more
  help          this text

Missing packages are installed with apt on Debian 12 and newer and Ubuntu 24.04 and newer, as root or by sudo;
elsewhere they are listed. With --no-install nothing is installed and nothing is asked of the package manager.
TEXT
}

say() { printf '== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
  printf 'run.sh: %s\n' "$*" >&2
  exit 1
}

is_installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Whether the packages above exist here under these names, and new enough.
is_known_system() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null && [[ -r /etc/os-release ]] || return 1
  local id version
  # shellcheck source=/dev/null
  id=$(. /etc/os-release && echo "${ID:-}")
  # shellcheck source=/dev/null
  version=$(. /etc/os-release && echo "${VERSION_ID:-}") # Debian testing and unstable have none
  case $id in
    debian) [[ -z $version ]] || ((${version%%.*} >= 12)) ;;
    ubuntu) ((${version%%.*} >= 24)) ;;
    *) return 1 ;;
  esac
}

install_packages() {
  local wanted=("$@") missing=() package
  if ((no_install)); then
    note "--no-install: taking what is here"
    return
  fi
  if ! is_known_system; then
    {
      echo "run.sh: packages are installed on Debian 12 or newer and Ubuntu 24.04 or newer only."
      echo "Here, install what is listed under its Debian names, then run this again with --no-install:"
      printf '  %s\n' "${wanted[@]}"
    } >&2
    exit 1
  fi
  for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    note "all ${#wanted[@]} packages needed are installed"
    return
  fi
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs root to install: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${#missing[@]} packages with apt: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
  # Only the closing lines: the whole output is of interest when it fails, and then it is shown.
  local log
  log=$(mktemp)
  # Where one of many sources does not answer, the lists of the others may do.
  "${apt[@]}" update >"$log" 2>&1 || echo "apt-get update failed; trying with the package lists there are" >>"$log"
  if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "apt-get failed; its output is above"
  fi
  rm -f "$log"
}

# configure FOLDER PRESET [CMAKE ARGUMENTS]: quiet while it works.
configure() {
  local folder=$1 preset=$2
  shift 2
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  mkdir -p "$folder"
  say "Configuring $folder with the preset '$preset'"
  if ! cmake --preset "$preset" -B "$folder" "${launcher[@]}" "$@" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    die "cmake failed; its output is above"
  fi
}

# build FOLDER [TARGET...]
build() {
  local folder=$1
  shift
  say "Building on $(nproc) cores"
  cmake --build "$folder" --parallel "$(nproc)" ${@:+--target "$@"}
}

check_format() {
  local program
  for program in "clang-format-$clang_format_major" clang-format ''; do
    [[ -n $program ]] || break
    command -v "$program" >/dev/null || continue
    [[ "$("$program" --version)" =~ version\ $clang_format_major\. ]] && break
  done
  if [[ -z $program ]]; then
    say "Format: not checked, there is no clang-format $clang_format_major here"
    return
  fi
  say "Format: checking with $program"
  local folders=() folder
  for folder in include src adapters plugins examples tests; do
    [[ -d $folder ]] && folders+=("$folder")
  done
  find "${folders[@]}" \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.c' \) -print0 |
    xargs -0 "$program" --dry-run --Werror || die "not formatted as .clang-format says: run clang-format -i on the above"
}

run_demo() {
  say "Demo: learn a stepper for the elastic pendulum and measure it against the classical ones"
  install_packages "${packages_library[@]}" "${packages_command[@]}" "${packages_plot[@]}"
  # A folder of its own, since it is configured for the command alone.
  local folder=build/demo
  configure "$folder" release -DLODESTEP_BUILD_TESTS=OFF -DLODESTEP_BUILD_EXAMPLES=OFF -DLODESTEP_BUILD_BENCHMARKS=OFF
  build "$folder" lodestep_command
  local lodestep=$folder/bin/lodestep model=$folder/elastic_pendulum.model plot=$folder/elastic_pendulum
  say "Training: lodestep train attns elastic_pendulum --error 3e-5"
  "$lodestep" train attns elastic_pendulum --error 3e-5 -o "$model" --force
  say "Evaluating on initial states it has never seen: lodestep evaluate"
  "$lodestep" evaluate "$model"
  say "Measuring against the classical steppers: lodestep bench elastic_pendulum"
  "$lodestep" bench elastic_pendulum --model "$model" --plot "$plot" --force
  local file
  for file in "$plot".svg "$plot".png; do
    [[ -s $file ]] || die "the plot $file was not drawn"
  done
  say "Done in $SECONDS s. The model: $model. The plot: $plot.svg and .png"
}

all_packages=("${packages_library[@]}" "${packages_command[@]}" "${packages_plot[@]}" "${packages_test[@]}"
  "${packages_adapters[@]}")
# The one system whose own clang-format is of that version; on others the check is an extra for who has it.
if grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release; then all_packages+=("clang-format-$clang_format_major"); fi

run_build() {
  install_packages "${all_packages[@]}"
  configure build/ci ci
  build build/ci
}

run_test() {
  say "Test: build everything and run the tests"
  install_packages "${all_packages[@]}"
  check_format
  configure build/ci ci
  build build/ci
  say "Testing"
  local status=0
  ctest --preset ci --parallel "$(nproc)" --label-exclude '^(paper|benchmarks|memory)$' || status=$?
  say "Done in $SECONDS s, $( ((status == 0)) && echo "all tests passed" || echo "with FAILED tests: see above")"
  return "$status"
}

command=
no_install=0
for argument in "$@"; do
  case $argument in
    --no-install) no_install=1 ;;
    -h | --help) command=help ;;
    -*) die "unknown option '$argument'; see bash cmake/run.sh help" ;;
    *)
      [[ -z $command ]] || die "one command at a time, found '$command' and '$argument'"
      command=$argument
      ;;
  esac
done

case $command in
  demo) run_demo ;;
  test) run_test ;;
  build) run_build ;;
  install-deps) install_packages "${all_packages[@]}" ;;
  help) usage ;;
  '')
    usage >&2
    exit 2
    ;;
  *) die "unknown command '$command'; see bash cmake/run.sh help" ;;
esac
