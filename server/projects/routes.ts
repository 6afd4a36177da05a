import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";
import type { ProjectPlace } from "./service.ts";

export function projectRoutes(app: App, place: ProjectPlace): void {
  const { db } = place;
  serve(app, contract.listProjects, ({ actor, query }) => service.listProjects(db, actor, query));
  serve(app, contract.createProject, ({ actor, body }) => service.createProject(db, actor, body));
  serve(
    app,
    contract.getProject,
    ({ actor, params }) => service.openCard(db, actor, params.projectId),
  );
  serve(
    app,
    contract.changeProject,
    ({ actor, params, body }) => service.changeProject(place, actor, params.projectId, body),
  );
  serve(app, contract.listMembers, ({ actor, params }) => service.listMembers(db, actor, params.projectId));
  serve(
    app,
    contract.setMember,
    ({ actor, params, body }) => service.setMember(db, actor, params.projectId, params.userId, body.role),
  );
  serve(
    app,
    contract.removeMember,
    ({ actor, params }) => service.removeMember(db, actor, params.projectId, params.userId),
  );
}
