#!/usr/bin/env bash
# Makes everything that Barque needs on a Debian or Ubuntu machine; quick when it is there already.
# With the argument `tests`, `bench` or `clients`, also what only its tests, its benchmarks, or making
# its clients in other languages needs.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() {
    local missing=()
    command -v git >/dev/null || missing+=(git)
    command -v ssh >/dev/null || missing+=(openssh-client)
    command -v haproxy >/dev/null || missing+=(haproxy)
    command -v curl >/dev/null || missing+=(curl)
    command -v ip >/dev/null || missing+=(iproute2)
    [ -x /bin/busybox ] || missing+=(busybox-static)
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    if [ ! -x /usr/bin/docker ] || ! command -v dockerd >/dev/null; then
        missing+=(docker.io iptables ca-certificates)
    fi
    if [ "${1:-}" = tests ] && ! command -v initdb >/dev/null \
        && ! compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null; then
        missing+=(postgresql)
    fi
    if [ "${1:-}" = tests ] && ! command -v jq >/dev/null; then missing+=(jq); fi
    if [ "${1:-}" = tests ] && ! command -v docker-registry >/dev/null; then
        missing+=(docker-registry)
    fi
    if [ -n "${1:-}" ] && [ "$1" != clients ] && ! command -v chromium-headless-shell >/dev/null \
        && grep -qx 'ID=debian' /etc/os-release; then
        missing+=(chromium-headless-shell)
    fi
    if [ "${1:-}" = tests ]; then
        # What their users complete commands in.
        command -v zsh >/dev/null || missing+=(zsh)
        command -v fish >/dev/null || missing+=(fish)
    fi
    if [ "${1:-}" = bench ]; then
        command -v nginx >/dev/null || missing+=(nginx-light)
        command -v wrk >/dev/null || missing+=(wrk)
    fi
    [ ${#missing[@]} = 0 ] && return
    echo "==> installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

make_environment() {
    local stamp=.venv/.made-from wanted
    wanted=$(cat requirements.lock pyproject.toml | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    echo "==> making the virtual environment"
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet uv
    .venv/bin/uv pip install --quiet --python .venv/bin/python --compile-bytecode \
        --require-hashes -r requirements.lock
    # Barque itself stays where it is; this makes .venv/bin/barque.
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
    echo "$wanted" >"$stamp"
}

# Ubuntu has no package of Chromium that runs everywhere: there it is the one of Playwright.
make_browser() {
    command -v chromium-headless-shell >/dev/null && return
    .venv/bin/playwright install --with-deps --only-shell chromium
}

make_client_tools() {
    local lock=clients/requirements.lock npm=clients/typescript stamp=.venv/.clients-made-from wanted
    wanted=$(sha256sum <$lock)
    if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
        echo "==> installing Go, Node.js and the generator of clients"
        .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r $lock
        echo "$wanted" >$stamp
    fi
    wanted=$(sha256sum <$npm/package-lock.json)
    if [ "$(cat $npm/node_modules/.made-from 2>/dev/null)" != "$wanted" ]; then
        .venv/bin/npm ci --prefix $npm --silent --ignore-scripts
        echo "$wanted" >$npm/node_modules/.made-from
    fi
}

make_base_image() {
    local context
    /usr/bin/docker image inspect barque/base:busybox >/dev/null 2>&1 && return
    echo "==> making the base image of the examples"
    context=$(mktemp -d)
    cp examples/base/Dockerfile /bin/busybox "$context"
    /usr/bin/docker build --quiet -t barque/base:busybox "$context" >/dev/null
    rm -r "$context"
}

make_base_images() {
    # What reaches packages here is trusted and asked in the images' builds as well.
    BARQUE_CA_BUNDLE=${BARQUE_CA_BUNDLE:-${SSL_CERT_FILE:-}} \
        BARQUE_BUILD_ENVIRONMENT=${BARQUE_BUILD_ENVIRONMENT:-$(.venv/bin/python scripts/registries.py)} \
        .venv/bin/python -m barque base-images build | { grep -v ' is there$' || true; }
}

install_packages "${1:-}"
make_environment
if [ "${1:-}" = tests ] || [ "${1:-}" = bench ]; then make_browser; fi
if [ "${1:-}" = tests ] || [ "${1:-}" = clients ]; then make_client_tools; fi
if [ "${1:-}" = clients ]; then exit; fi
DOCKER_HOST=$(scripts/engine.sh)
export DOCKER_HOST DOCKER_BUILDKIT=1
make_base_image
if [ "${1:-}" = tests ]; then make_base_images; fi
