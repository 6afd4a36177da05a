import type { App } from "./http_env.ts";

/** By app: how its own addresses look, with the methods that they take. It is complete once the app listens. */
const known = new WeakMap<
  App,
  { readonly count: number; readonly addresses: ReadonlyMap<string, Address> }
>();

interface Address {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Methods that the address takes, HEAD with GET; empty when no route has it. Routes for many addresses don't count. */
export function methodsOf(app: App, path: string): string[] {
  const methods = new Set<string>();
  for (const address of addressesOf(app).values()) {
    if (address.pattern.test(path)) { for (const method of address.methods) methods.add(method); }
  }
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

function addressesOf(app: App): ReadonlyMap<string, Address> {
  const { routes } = app;
  const before = known.get(app);
  if (before?.count === routes.length) return before.addresses;
  const addresses = new Map<string, Address>();
  for (const { path, method } of routes) {
    if (method === "ALL" || path.includes("*")) continue;
    const own = addresses.get(path) ?? { pattern: patternOf(path), methods: new Set<string>() };
    addresses.set(path, own);
    own.methods.add(method);
  }
  known.set(app, { count: routes.length, addresses });
  return addresses;
}

function patternOf(path: string): RegExp {
  const parts = path.split("/").map((part) =>
    part.startsWith(":") ? "[^/]+" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return new RegExp(`^${parts.join("/")}$`);
}
