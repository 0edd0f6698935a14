const express = require("express");

const app = express();
app.get("/", (request, response) => response.send("hello from express"));
app.get("/_health/", (request, response) => response.send("ok"));
const server = app.listen(process.env.PORT || 8000, "0.0.0.0");

// The first process of a container hears only the signals that it asks for.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
