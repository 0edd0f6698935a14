#!/usr/bin/env bash
# Prints the DOCKER_HOST to use: an engine that answers already, else a private one, which is
# started in the data dir with its own data root, exec root and socket unless it runs.
set -euo pipefail
cd "$(dirname "$0")/.."

answers() { curl -fsS --max-time 5 --unix-socket "${1#unix://}" http://engine/_ping >/dev/null 2>&1; }

for host in "${DOCKER_HOST:-}" unix:///var/run/docker.sock; do
    case $host in
        unix://*) if answers "$host"; then echo "$host"; exit 0; fi ;;
        ?*) echo "$host"; exit 0 ;;
    esac
done

# Where processors are short, the engine's own work waits for that of its containers, which are not
# in its group. With BARQUE_ENGINE_SHARE=full it does not wait.
give_way() {
    [ "${BARQUE_ENGINE_SHARE:-}" != full ] || return 0
    local group=/sys/fs/cgroup/cpu/barque-$short share=cpu.shares
    [ -f /sys/fs/cgroup/cpu/cpu.shares ] || group=/sys/fs/cgroup/barque-$short share=cpu.weight
    mkdir -p "$group" || return 0
    if [ -w "$group/$share" ]; then
        [ "$share" = cpu.shares ] && echo 64 >"$group/$share" || echo 6 >"$group/$share"
        echo "$BASHPID" >"$group/cgroup.procs" || true
    fi
}

home="$(realpath -m "${BARQUE_DATA_DIR:-.barque}")/engine"
# A socket's path may have no more than 107 bytes, and folders nest deeper than that.
short=$(printf %s "$home" | sha256sum | cut -c1-10)
socket=/run/barque-$short.sock
if ! answers "unix://$socket"; then
    command -v dockerd >/dev/null || { echo "there is no engine: install docker.io" >&2; exit 1; }
    mkdir -p "$home"
    # A pid file outlives an engine that was killed, and would keep the next from starting.
    if pid=$(cat "$home/pid" 2>/dev/null) && ! grep -qs dockerd "/proc/$pid/cmdline"; then
        rm -f "$home/pid"
    fi
    bridge=barque$(printf %s "$short" | cut -c1-6)
    subnet=10.216.$((16#${short:0:2})).1/24
    ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
    ip address show "$bridge" | grep -q "$subnet" || ip address add "$subnet" dev "$bridge"
    ip link set "$bridge" up
    (
        give_way
        # It collects its garbage at a fourth of the times: what that saves, instances have.
        GOGC=400 exec setsid dockerd --data-root "$home/data" --exec-root "/run/barque-$short" \
            --pidfile "$home/pid" -H "unix://$socket" --bridge "$bridge" --live-restore \
            >"$home/log" 2>&1 </dev/null
    ) &
    for _ in $(seq 300); do
        answers "unix://$socket" && break
        sleep 0.1
    done
    answers "unix://$socket" || { echo "the engine did not start: see $home/log" >&2; exit 1; }
fi
echo "unix://$socket"
