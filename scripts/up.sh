#!/usr/bin/env bash
# Starts the platform unless it runs, deploys the example, and says where everything is.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${BARQUE_PORT:-8000}
export BARQUE_URL=http://127.0.0.1:$port
data=$(realpath -m "${BARQUE_DATA_DIR:-.barque}")
export BARQUE_REPOSITORIES=$data/repositories
mkdir -p "$BARQUE_REPOSITORIES"
# What this machine was told to trust and to ask for packages, builds are to trust and ask as well.
export BARQUE_CA_BUNDLE=${BARQUE_CA_BUNDLE:-${SSL_CERT_FILE:-}}
export BARQUE_BUILD_ENVIRONMENT=${BARQUE_BUILD_ENVIRONMENT:-$(.venv/bin/python scripts/registries.py)}
if ! curl -fs "$BARQUE_URL/health" >/dev/null; then
    echo "==> starting the platform"
    # Set BARQUE_GIT_BASE_URL to build from elsewhere, such as https://github.com.
    BARQUE_GIT_BASE_URL=${BARQUE_GIT_BASE_URL:-file://$BARQUE_REPOSITORIES} \
        setsid .venv/bin/python -m barque serve >"$data/serve.log" 2>&1 </dev/null &
    for _ in $(seq 300); do
        curl -fs "$BARQUE_URL/health" >/dev/null && break
        kill -0 $! 2>/dev/null || break
        sleep 0.2
    done
fi
curl -fs "$BARQUE_URL/health" >/dev/null || {
    echo "it did not start; $data/serve.log ends so:"
    tail -n 5 "$data/serve.log"
    exit 1
} >&2
BARQUE_API_KEY=$(cat "$data/admin.key")
export BARQUE_API_KEY
case ${BARQUE_GIT_BASE_URL:-file://$BARQUE_REPOSITORIES} in
    "file://$BARQUE_REPOSITORIES") .venv/bin/python scripts/example.py ;;
    *) echo "The example is left out: repositories come from $BARQUE_GIT_BASE_URL" ;;
esac
echo "API:     $BARQUE_URL/api/v1   (documented at $BARQUE_URL/docs)"
echo "Key:     $data/admin.key   (the administrator's)"
