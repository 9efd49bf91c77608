# Sourced first by every script: with --help, prints the comment that the script begins with, ends.
for argument in "$@"; do
  case $argument in
  --help | -h)
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  esac
done
unset argument
