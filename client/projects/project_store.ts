import { session } from "#client/auth/session_store.ts";
import { call } from "#client/core/call.ts";
import { type Live, live } from "#client/core/live.ts";
import { inOrder } from "#client/core/order.ts";
import { callPages, orGone, Store } from "#client/core/store.ts";
import type { BodyInput } from "#server/core/endpoint.ts";
import type { LiveEvent } from "#server/core/event.ts";
import { newId } from "#server/core/id.ts";
import {
  changeProject,
  createProject,
  getProject,
  listProjects,
  type Project,
  type ProjectCard,
  projectChanged,
} from "#server/projects/contract.ts";

type NewProject = Omit<BodyInput<typeof createProject>, "id">;
type ProjectChange = BodyInput<typeof changeProject>;

/** The projects that one is a member of, newest first, and what can be done with them. */
export class ProjectStore {
  readonly #store: Store<ProjectCard>;

  /** `shelf`: what one works on, archived ones included, or what is in the trash. */
  constructor(live: Pick<Live, "listen" | "state">, shelf: "work" | "trash" = "work") {
    this.#store = new Store<ProjectCard>({
      idOf: ({ id }) => id,
      list: () => callPages(listProjects, { query: shelf === "trash" ? { trash: "only" } : {} }),
      read: (id) => orGone(call(getProject, { params: { projectId: id as Project["id"] } })),
      topics: () => [
        ...(session.me ? [`user:${session.me.userId}`] : []),
        ...this.#store.items.map(({ id }) => `project:${id}`),
      ],
      concerns: readProjectIds,
      keeps: ({ status }) => (status === "trashed") === (shelf === "trash"),
      order: (one, other) => inOrder(other.id, one.id),
    }, live);
  }

  get all(): readonly ProjectCard[] {
    return this.#store.items;
  }

  /** For a page's skeleton, stale mark and error. */
  get reading(): Pick<Store<ProjectCard>, "isKnown" | "isStale" | "problem" | "read"> {
    return this.#store;
  }

  find(projectId: string): ProjectCard | undefined {
    return this.#store.find(projectId);
  }

  /** Takes a project as it is now: it may have come to this shelf, or left it. */
  put(project: ProjectCard): void {
    this.#store.put(project);
  }

  /** Reads and follows the projects until the returned function is called. */
  open(): () => void {
    return this.#store.open();
  }

  /** Makes a project; a repetition after a lost answer makes no second one. Throws ApiError. */
  async create(input: NewProject): Promise<Project> {
    const project = await call(createProject, { body: { ...input, id: newId<"project">() } });
    const role = session.me?.role ?? "creator";
    this.#store.put({
      ...project,
      role,
      members: 1,
      characters: 0,
      clips: 0,
      coverAssetId: null,
      film: null,
    });
    return project;
  }

  /** Shows the change at once and takes it back when the studio refuses. Throws ApiError. */
  async change(projectId: Project["id"], change: ProjectChange): Promise<void> {
    await this.#store.act(
      projectId,
      (project) => project && { ...project, ...change as Partial<Project> },
      async () => void await call(changeProject, { params: { projectId }, body: change }),
    );
  }
}

/** The projects that an event tells of. */
export function readProjectIds({ code, data }: LiveEvent): readonly string[] | undefined {
  if (code !== projectChanged.code) return undefined;
  const read = projectChanged.data.safeParse(data);
  return read.success ? [read.data.projectId] : undefined;
}

/** The projects of whoever is signed in. */
export const projectStore: ProjectStore = new ProjectStore(live);
/** Those of them that are in the trash. */
export const trashedProjects: ProjectStore = new ProjectStore(live, "trash");
