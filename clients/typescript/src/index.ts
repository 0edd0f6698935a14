/**
 * A client of the API of a Barque platform.
 *
 * Each call says a path of the API, and answers with `data`, or with `error` as the platform said
 * it: `{ status, message, errors }`. What may be sent and what comes back is typed by path.
 */

import createClient, { type Client, type ClientOptions } from "openapi-fetch";

import type { BuildAnswer, ErrorAnswer, operations, paths } from "./schema.ts";

export type * from "./schema.ts";

export type Barque = Client<paths>;

/** Make a client of the platform at `server`, such as `https://barque.example.org`. */
export function connect(
  server: string,
  key: string,
  options: Omit<ClientOptions, "baseUrl" | "headers"> = {},
): Barque {
  return createClient<paths>({ ...options, baseUrl: server, headers: { "X-API-Key": key } });
}

/** An error of the platform, for whoever would rather catch than check. */
export class BarqueError extends Error {
  readonly status: number;
  readonly errors: NonNullable<ErrorAnswer["errors"]>;

  constructor(answer: ErrorAnswer) {
    super(answer.message);
    this.name = "BarqueError";
    this.status = answer.status;
    this.errors = answer.errors ?? [];
  }
}

/** Return what an answer holds. Throws `BarqueError` where it is an error. */
export function dataOf<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok) return answer.data as T;
  const said = answer.error as ErrorAnswer | undefined;
  const { status, statusText } = answer.response;
  throw new BarqueError(said?.message ? said : { status, message: statusText });
}

/** Enqueue a build of the source in a tar archive, plain or compressed with gzip. */
export async function uploadSource(
  client: Barque,
  path: operations["uploadSource"]["parameters"]["path"],
  archive: BodyInit,
): Promise<BuildAnswer> {
  const answer = await client.POST(
    "/api/v1/orgs/{org}/projects/{project}/envs/{env}/services/{svc}/images/upload",
    {
      params: { path },
      headers: { "Content-Type": "application/octet-stream" },
      body: "",
      bodySerializer: () => archive,
    },
  );
  return dataOf(answer);
}
