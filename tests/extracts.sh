# What the scripts share that compare extracts with what is known of them: arguments, program, folder. To be sourced in
# the repository's root, with `here` as the folder of the caller and `usage` as a function.
# shellcheck shell=bash disable=SC2034,SC2154 # names of the scripts

# Says what is wrong, and ends: it could not be tried.
cannot() {
  echo "tests/${0##*/}: $1" >&2
  exit 2
}

misused() {
  usage >&2
  exit 2
}

# Reads the arguments [--program FILE] [--keep FOLDER] EXTRACTS into `program`, `keep` and `extracts`.
read_arguments() {
  program=
  keep=
  extracts=
  while [ $# -gt 0 ]; do
    case $1 in
      --program)
        program=$(cd "$here" && realpath -- "${2-}") && [ -x "$program" ] ||
          cannot "there is no program at \`${2-}\`"
        shift 2
        ;;
      --keep)
        [ -n "${2-}" ] || misused
        keep=$(cd "$here" && realpath -m -- "$2")
        shift 2
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      -*) misused ;;
      *)
        [ -z "$extracts" ] || misused
        extracts=$(cd "$here" && realpath -m -- "$1")
        shift
        ;;
    esac
  done
  [ -n "$extracts" ] || misused
}

# Ends where one of the files given is not among the extracts.
need_extracts() {
  local file
  for file in "$@"; do
    [ -e "$extracts/$file" ] || cannot "there is no $file in the folder of extracts"
  done
}

# Builds the program where none was given, and makes `folder`, which goes when the script ends, unless it is to be kept.
# Calls `stop` at the end, where there is such a function.
prepare() {
  if [ -z "$program" ]; then
    cargo build --locked
    program=$PWD/${CARGO_TARGET_DIR:-target}/debug/counterfoil
  fi
  work=
  trap end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  folder=$keep
  if [ -z "$folder" ]; then
    work=$(mktemp -d)
    folder=$work
  fi
}

end() {
  ! declare -F stop >/dev/null || stop
  [ -z "$work" ] || rm -rf "$work"
}
