#!/bin/sh
# Install Fieldgate with its pinned dependencies into a new virtual environment.
#
#     sh deploy/install.sh TARGET
#
# Run in a folder that holds requirements.txt and the source.  The Dockerfile and a test do just this.
set -eu
target=$1
python=${PYTHON:-python3}

"$python" -m venv "$target"
"$target/bin/python" -m pip install --disable-pip-version-check --requirement requirements.txt
"$target/bin/python" -m pip install --disable-pip-version-check --no-deps .
"$target/bin/python" -m pip check
