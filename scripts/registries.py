"""How this machine reaches package registries, as the setting BARQUE_BUILD_ENVIRONMENT."""

import json
import os

VARIABLES = (
    "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry", "GOPROXY", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip


def build_environment() -> str:
    return json.dumps({name: os.environ[name] for name in VARIABLES if name in os.environ})


if __name__ == "__main__":
    print(build_environment())
