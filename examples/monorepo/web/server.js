const http = require("node:http");
const ejs = require("ejs");

const page = ejs.compile("hello from <%= who %>");
const server = http.createServer((request, response) => {
  response.end(request.url === "/_health/" ? "ok" : page({ who: "the web" }));
});
server.listen(process.env.PORT || 8000, "0.0.0.0");

// The first process of a container hears only the signals that it asks for.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
