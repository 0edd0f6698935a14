#!/usr/bin/env bash
# Starts the platform unless it runs, waits until it answers, and says where it is.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${BARQUE_PORT:-8000}
url=http://127.0.0.1:$port
data=${BARQUE_DATA_DIR:-.barque}
if ! curl -fs "$url/health" >/dev/null; then
    echo "==> starting the platform"
    mkdir -p "$data"
    setsid .venv/bin/python -m barque serve >"$data/serve.log" 2>&1 </dev/null &
    echo $! >"$data/serve.pid"
    for _ in $(seq 100); do
        curl -fs "$url/health" >/dev/null && break
        sleep 0.2
    done
fi
curl -fs "$url/health" >/dev/null || { echo "it did not start: see $data/serve.log"; exit 1; }
echo "API: $url/api/v1   administrator's key: $data/admin.key"
