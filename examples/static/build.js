// Makes a page of every text in pages/.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { marked } from "marked";

for (const file of readdirSync("pages")) {
  const name = file.replace(/\.md$/, "");
  const folder = name === "index" ? "dist" : `dist/${name}`;
  mkdirSync(folder, { recursive: true });
  const body = marked.parse(readFileSync(`pages/${file}`, "utf8"));
  writeFileSync(`${folder}/index.html`, `<!doctype html>\n<title>Hello</title>\n${body}`);
}
