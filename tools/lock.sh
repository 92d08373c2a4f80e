#!/bin/sh
# Resolve what pyproject.toml asks for in a fresh environment and write exact pins, without the project itself.
set -eu

out=${1:?usage: lock.sh FILE}
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" -m venv "$scratch/venv"
pip="$scratch/venv/bin/python -m pip --disable-pip-version-check"
$pip install --quiet --upgrade pip setuptools
$pip install --quiet --no-build-isolation -e '.[dev]'
{
    echo "# Exact versions of everything a development environment installs. Written by \`make lock\`."
    $pip freeze --all --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[^ ]+$' | LC_ALL=C sort -f
} >"$scratch/lock"
mv "$scratch/lock" "$out"
chmod 644 "$out"
