import { empty } from "./http.ts";

/** What a route is given. */
export interface Call {
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The decoded parts of the path that the pattern leaves open. */
  readonly params: readonly string[];
}

/** One route: `path` has no prefix; `*` stands for one segment. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Served bare, under /api, or (by default) both. */
  readonly at?: "bare" | "api";
  run(call: Call): Response | Promise<Response>;
}

/** Finds and runs the route of a request; 404 without a body when there is none, 405 for a wrong method. */
export function dispatch(routes: readonly Route[], request: Request): Response | Promise<Response> {
  const url = new URL(request.url);
  // HEAD is GET without the body, which the server drops by itself.
  const method = request.method === "HEAD" ? "GET" : request.method;
  let known = false;
  for (const route of routes) {
    const params = match(route, url.pathname);
    if (!params) continue;
    known = true;
    if (route.method === method) return route.run({ request, query: url.searchParams, params });
  }
  return empty(known ? 405 : 404);
}

function match(route: Route, pathname: string): string[] | undefined {
  const forms = [
    ...(route.at === "api" ? [] : [route.path]),
    ...(route.at === "bare" ? [] : [`/api${route.path}`]),
  ];
  const given = pathname.split("/");
  for (const form of forms) {
    const wanted = form.split("/");
    if (wanted.length !== given.length) continue;
    if (!wanted.every((part, index) => part === "*" ? given[index] !== "" : part === given[index])) continue;
    return given.filter((_, index) => wanted[index] === "*").map(decode);
  }
  return undefined;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
