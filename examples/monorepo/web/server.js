const fastify = require("fastify")();

fastify.get("/", async () => "hello from the web");
fastify.get("/_health/", async () => "ok");
fastify.listen({ port: process.env.PORT || 8000, host: "0.0.0.0" });

// The first process of a container hears only the signals that it asks for.
process.on("SIGTERM", () => fastify.close().then(() => process.exit(0)));
