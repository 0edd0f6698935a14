import os

from bottle import Bottle, run

app = Bottle()


@app.get("/")
def index() -> str:
    return "hello from the api"


@app.get("/_health/")
def health() -> str:
    return "ok"


if __name__ == "__main__":
    run(app, server="waitress", host="0.0.0.0", port=int(os.environ.get("PORT", "8000")))
