.PHONY: setup up down lint test
setup:
	@scripts/setup.sh
up: setup
	@scripts/up.sh
down:
	@kill "$$(cat $${BARQUE_DATA_DIR:-.barque}/serve.pid)"
lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
test: setup
	.venv/bin/pytest -n 2
