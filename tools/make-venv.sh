#!/bin/sh
# Make a virtual environment with Python 3.11 or newer, unless a working one is there.
# Usage: make-venv.sh FOLDER [PYTHON]
set -eu
folder=$1
wanted=${2:-}

works() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -x "$folder/bin/python" ] && "$folder/bin/python" -m pip --version >/dev/null 2>&1 \
    && works "$folder/bin/python"; then
  exit 0
fi

# Each candidate is run, not only looked up: a version manager's shim exists without its Python.
for python in ${wanted:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
  if works "$python"; then
    echo "Making $folder with $("$python" --version)."
    exec "$python" -m venv --clear "$folder"
  fi
done

if [ -n "$wanted" ]; then
  echo "PYTHON='$wanted' is not a Python 3.11 or newer with the venv module." >&2
else
  echo 'No Python 3.11 or newer with the venv module was found.' >&2
fi
echo 'Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it: make demo PYTHON=/path/to/python3.12' >&2
exit 1
