#!/usr/bin/env bash
# Makes the virtual environment from the lock file; quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=.venv/.made-from
wanted=$(cat requirements.lock pyproject.toml | sha256sum)
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0
echo "==> making the virtual environment"
python3 -m venv .venv
.venv/bin/python -m pip install --quiet uv
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
# Barque itself is found through a path file: nothing is built, so nothing is downloaded for it.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$PWD/src" > "$site/barque.pth"
echo "$wanted" > "$stamp"
