"""nginx, as the application in a container and as a reverse proxy written by hand."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conftest import App, free_port
from tests.e2e.helpers import build

# A page of 48 KiB at 192 KiB a second, the first 8 at once, takes a fifth of a second.
_APPLICATION = """\
worker_processes 1;
pid /tmp/nginx.pid;
error_log stderr;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path /tmp/body;
    keepalive_requests 1000000;
    server {
        listen LISTEN backlog=4096;
        root /www;
        location /slow { limit_rate 192k; limit_rate_after 8k; }
    }
}
"""
_PROXY = """\
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    upstream app {{
        server {address};
        keepalive 128;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto http;
        }}
    }}
}}
"""
_DOCKERFILE = """\
FROM barque/base:busybox
COPY root/ /
RUN mkdir -p /tmp /var/log/nginx /var/lib/nginx /www/_health && echo ok > /www/_health/index.html
RUN echo hello > /www/index.html && head -c 49152 /dev/zero > /www/slow
RUN echo root:x:0:0::/:/bin/sh > /etc/passwd && echo root:x:0: > /etc/group
COPY nginx.conf /nginx.conf
"""
_COMMAND = (
    'sed "s/LISTEN/$PORT/" /nginx.conf > /tmp/nginx.conf; '
    "exec /usr/sbin/nginx -c /tmp/nginx.conf -g 'daemon off; user root;'"
)


def build_application(app: App) -> None:
    """Build an image with nginx, from the files of this machine's own."""
    program = Path(shutil.which("nginx") or "/usr/sbin/nginx")
    linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for file in [str(program), *re.findall(r"(/\S+) \(", linked)]:
        copy = app.repository / "root" / file.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    files = {"Dockerfile": _DOCKERFILE, "nginx.conf": _APPLICATION}
    build(app, {**files, "Procfile": f"web: {_COMMAND}\n"})


@contextmanager
def proxy(address: str, folder: Path) -> Iterator[int]:
    """Run a reverse proxy to `address`, and give its port."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_PROXY.format(folder=folder, address=address, port=port))
    command = ["nginx", "-c", config, "-e", folder / "error.log", "-g", "daemon off;"]
    running = subprocess.Popen(command)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                break
        yield port
    finally:
        running.terminate()
        running.wait()
