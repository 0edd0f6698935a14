"""`python -m barque serve`: the platform in the foreground."""

import argparse

import uvicorn

from barque.app import create_app
from barque.platform import Platform
from barque.settings import Settings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="barque", description="A deploy you can trust.")
    serve = parser.add_subparsers(required=True).add_parser("serve", help="start the platform")
    for option in ("--data-dir", "--host", "--port", "--apps-port"):
        serve.add_argument(option, default=argparse.SUPPRESS)
    settings = Settings(**vars(parser.parse_args()))
    uvicorn.run(
        create_app(Platform(settings)), host=settings.host, port=settings.port,
        log_level=settings.log_level, access_log=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
