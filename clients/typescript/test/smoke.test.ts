/** Walks through a real platform, whose address and key are in BARQUE_URL and BARQUE_KEY. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, test } from "node:test";

import { BarqueError, connect, dataOf, uploadSource } from "../src/index.ts";
import type { AuditRow, Barque, NewService } from "../src/index.ts";

const ORG = `ts-${randomBytes(6).toString("hex")}`;
const ORGS = "/api/v1/orgs";
const PROJECT = `${ORGS}/{org}/projects/{project}` as const;
const SERVICES = `${PROJECT}/envs/{env}/services` as const;
const SERVICE = `${SERVICES}/{svc}` as const;

const org = { org: ORG };
const project = { ...org, project: "shop" };
const env = { ...project, env: "production" };
const svc = { ...env, svc: "api" };

let barque: Barque;

before(async () => {
  const { BARQUE_URL, BARQUE_KEY } = process.env;
  assert.ok(BARQUE_URL && BARQUE_KEY, "BARQUE_URL and BARQUE_KEY say which platform to try");
  barque = connect(BARQUE_URL, BARQUE_KEY);
  const made = dataOf(await barque.POST(ORGS, { body: { name: ORG } }));
  assert.equal(made.slug, ORG);
  dataOf(await barque.POST(`${ORGS}/{org}/projects`, { params: { path: org }, body: { name: "Shop" } }));
  dataOf(
    await barque.POST(`${PROJECT}/envs`, {
      params: { path: project },
      body: { name: "Production", env_type: "production" },
    }),
  );
  const body: NewService = { name: "API", platform: "wind", auto_deploy_branch: "main" };
  dataOf(await barque.POST(SERVICES, { params: { path: env }, body }));
});

test("a service is shown, and what is null is null", async () => {
  const shown = dataOf(await barque.GET(SERVICE, { params: { path: svc } }));
  assert.equal(shown.slug, "api");
  assert.equal(shown.latest_image, null);
  assert.deepEqual(shown.process_counts, { web: 1 });
  assert.equal(shown.auto_deploy_branch, "main");
  const change = { auto_deploy_branch: null };
  const changed = dataOf(await barque.PATCH(SERVICE, { params: { path: svc }, body: change }));
  assert.equal(changed.auto_deploy_branch, null);
  const listed = dataOf(await barque.GET(SERVICES, { params: { path: env } }));
  assert.deepEqual(listed.map((row) => row.id), [shown.id]);
});

test("config is resolved over its levels", async () => {
  const ofOrg = { name: "LEVEL", value: "low" };
  dataOf(await barque.POST(`${ORGS}/{org}/config`, { params: { path: org }, body: ofOrg }));
  const ofService = { name: "LEVEL", value: "high" };
  dataOf(await barque.POST(`${SERVICE}/config`, { params: { path: svc }, body: ofService }));
  const secret = { name: "TOKEN", value: "hidden", secret: true };
  dataOf(await barque.POST(`${SERVICE}/config`, { params: { path: svc }, body: secret }));
  const resolved = dataOf(await barque.GET(`${SERVICE}/config/resolved`, { params: { path: svc } }));
  assert.deepEqual(
    resolved.map(({ name, value, scope, overrides }) => ({ name, value, scope, overrides })),
    [
      { name: "LEVEL", value: "high", scope: "service", overrides: ["org"] },
      { name: "TOKEN", value: null, scope: "service", overrides: [] },
    ],
  );
});

test("a list is read page by page", async () => {
  const rows: AuditRow[] = [];
  for (let page = 1, pages = 2; page <= pages; page++) {
    const query = { page, per_page: 2 };
    const found = dataOf(await barque.GET(`${ORGS}/{org}/audit`, { params: { path: org, query } }));
    assert.ok(found.items.length <= 2);
    pages = found.pagination.pages;
    rows.push(...found.items);
  }
  assert.ok(rows.length > 4);
  assert.equal(rows.at(-1)?.action, "org.create");
});

test("an error says what is wrong", async () => {
  const body: NewService = { name: "Slow", platform: "wind", deployment_timeout: 0 };
  const refused = await barque.POST(SERVICES, { params: { path: env }, body });
  assert.equal(refused.error?.status, 422);
  assert.equal(refused.error.errors?.[0]?.field, "deployment_timeout");
  // The head of a gzip file, and no more.
  const cut = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
  await assert.rejects(uploadSource(barque, svc, cut), (error) => {
    assert.ok(error instanceof BarqueError);
    assert.equal(error.status, 422);
    assert.equal(error.errors[0]?.field, "body");
    assert.match(error.message, /cut short/);
    return true;
  });
  const stranger = connect(process.env["BARQUE_URL"] ?? "", "barque_wrong");
  const unknown = await stranger.GET("/api/v1/whoami");
  assert.equal(unknown.error?.status, 401);
  assert.match(unknown.error.message, /key/);
});

test("what was made is deleted", async () => {
  const params = { path: org, query: { cascade: true } };
  const { response } = await barque.DELETE(`${ORGS}/{org}`, { params });
  assert.equal(response.status, 204);
  const gone = await barque.GET(`${ORGS}/{org}`, { params: { path: org } });
  assert.equal(gone.error?.status, 404);
  assert.equal(gone.error.errors, undefined);
});
