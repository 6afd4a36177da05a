/** What a file is, by its path: the first row that matches. `$slice` is the folder that a file belongs to. */
const ROLES: readonly (readonly [RegExp, Role])[] = [
  [/_(test|bench)\.ts$/, "test"],
  [/^server\/core\//, "core"],
  [/^server\/db\//, "db"],
  [/^server\/files\//, "files"],
  [/^server\/testing\//, "test"],
  [/^server\/settlements\.ts$/, "settlements"],
  [/^server\/[^/]+\.ts$/, "root"],
  [/^server\/jobs\/settle\.ts$/, "service"],
  [/^server\/[^/]+\/(contract|job_kinds|manifest|wait_reason)\.ts$/, "contract"],
  [/^server\/http\//, "http"],
  [/^server\/live\//, "live"],
  [/^server\/[^/]+\/(planner|gates|bind|templates)\.ts$/, "pure"],
  [/^server\/[^/]+\/queries\.ts$/, "queries"],
  [/^server\/[^/]+\/service\.ts$/, "service"],
  [/^server\/[^/]+\/routes\.ts$/, "routes"],
  [/^server\//, "part"],
  [/^client\/design\//, "design"],
  [/^client\//, "client"],
  [/^workers\/media\/sniff\.ts$/, "sniff"],
  [/^workers\/kit\//, "kit"],
  [/^workers\/queue\//, "queue"],
  [/^workers\/[^/]+\/(main\.ts|jobs\/)/, "thread's own"],
  [/^workers\//, "thread"],
  [/^sql\//, "sql"],
  [/^tasks\//, "tasks"],
];

type Role =
  | "test"
  | "core"
  | "db"
  | "files"
  | "root"
  | "settlements"
  | "contract"
  | "http"
  | "live"
  | "pure"
  | "queries"
  | "service"
  | "routes"
  | "part"
  | "design"
  | "client"
  | "sniff"
  | "kit"
  | "queue"
  | "thread's own"
  | "thread"
  | "sql"
  | "tasks";

const EVERYTHING = "everything";

/** What a file of a role may import besides its own folder's files (OWN_FOLDER says whose own folder is closed). */
const MAY_IMPORT: Readonly<Record<Role, readonly Role[] | typeof EVERYTHING>> = {
  test: EVERYTHING,
  root: EVERYTHING,
  settlements: ["core", "db", "files", "contract", "service", "part"],
  core: ["core"],
  contract: ["core", "contract"],
  pure: ["core", "contract"],
  db: ["core", "db", "sql"],
  files: ["core", "files"],
  queries: ["core", "db", "contract"],
  service: ["core", "db", "files", "contract", "service", "pure", "live", "sniff"],
  part: ["core", "db", "files", "contract", "service", "pure", "live"],
  routes: ["core", "db", "files", "contract", "http", "live"],
  http: ["core", "db", "files", "contract", "service", "sniff"],
  live: ["core", "db", "contract", "service", "http"],
  client: ["core", "contract", "client", "design"],
  design: ["design"],
  kit: ["core", "contract", "files", "kit"],
  sniff: ["core", "contract"],
  thread: ["core", "contract", "files", "kit", "thread", "sniff"],
  "thread's own": ["core", "contract", "files", "kit", "thread", "sniff"],
  queue: [
    "core",
    "contract",
    "files",
    "kit",
    "db",
    "queries",
    "service",
    "pure",
    "part",
    "live",
    "queue",
    "settlements",
  ],
  sql: [],
  tasks: [
    "core",
    "contract",
    "db",
    "files",
    "queries",
    "service",
    "pure",
    "part",
    "root",
    "test",
    "design",
    "kit",
    "thread",
    "queue",
    "sql",
    "tasks",
    "sniff",
    "live",
  ],
};

/** Roles within one folder that may not import each other although they are neighbours. */
const CLOSED_TO: Readonly<Partial<Record<Role, readonly Role[]>>> = {
  contract: ["queries", "service", "routes", "part", "pure"],
  pure: ["queries", "service", "routes"],
  queries: ["service", "routes"],
  service: ["routes"],
  part: ["routes"],
  routes: ["queries"],
};

/** Roles of files that run in the browser too. */
export const BROWSER_SAFE: readonly Role[] = ["core", "contract", "client", "design"];
/** The path inside the repository, with forward slashes. */
export function housePath(filename: string): string {
  const root = new URL("../../", import.meta.url).pathname;
  const path = filename.replace(/^file:\/\//, "").replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** What the file at `path` (inside the repository) is. */
export function roleOf(path: string): Role | undefined {
  return ROLES.find(([pattern]) => pattern.test(path))?.[1];
}

/** Our own file that `specifier` names when `from` imports it; undefined for packages. */
export function importedPath(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return specifier.slice(1);
  if (!specifier.startsWith("./")) return undefined;
  return `${from.slice(0, from.lastIndexOf("/") + 1)}${specifier.slice(2)}`;
}

/** Why `from` may not import `specifier`, or undefined when it may. */
export function whyNotImport(from: string, specifier: string): string | undefined {
  const role = roleOf(from);
  if (role && BROWSER_SAFE.includes(role) && specifier.startsWith("node:")) {
    return `Cannot import ${specifier} here: a ${role} file also runs in the browser`;
  }
  const target = importedPath(from, specifier);
  const targetRole = target === undefined ? undefined : roleOf(target);
  if (!role || !target || !targetRole) return undefined;
  const allowed = MAY_IMPORT[role];
  if (allowed === EVERYTHING) return undefined;
  if (targetRole === "test") return role === "tasks" ? undefined : "Cannot import test code outside tests";
  const closed = CLOSED_TO[role] ?? [];
  if (ownFolder(from) === ownFolder(target) && !closed.includes(targetRole)) return undefined;
  if (allowed.includes(targetRole) && !closed.includes(targetRole)) return undefined;
  if (allowed.includes(targetRole) && ownFolder(from) !== ownFolder(target)) return undefined;
  return `Cannot import ${target} (${targetRole}) here: a ${role} file may import ` +
    `${allowed.join(", ") || "nothing of ours"} and its own folder; see ARCHITECTURE §2`;
}

/** "server/clips", "workers/media", "client", "tasks": the folder whose files are neighbours. */
function ownFolder(path: string): string {
  const [top, second] = path.split("/");
  return top === "server" || top === "workers" ? `${top}/${second}` : top ?? path;
}

/** Whether a file is a test, or only for tests. */
export function isTest(path: string): boolean {
  return roleOf(path) === "test";
}

/** Whether a file lies in one of the folders. */
export function isIn(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}
