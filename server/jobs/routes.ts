import { Lane } from "#server/core/job_kind.ts";
import type { Db } from "#server/db/db.ts";
import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import { changeJob } from "./change_job.ts";
import * as contract from "./contract.ts";
import { duplicateJobs } from "./duplicate.ts";
import { type Kinds, submitBatch } from "./orders.ts";
import { forecastQueue } from "./queue_forecast.ts";
import { exportQueue, importQueue } from "./queue_document.ts";
import { listQueueJobs } from "./queue_rows.ts";
import * as service from "./service.ts";
import type { Settlement } from "./settle.ts";
import { steerJobs } from "./steer_many.ts";

/** `settlements` name the kinds of job that there are, and take back what a failure made of their things. */
export function jobRoutes(
  app: App,
  { db, settlements = [] }: { db: Db; settlements?: readonly Settlement[] },
): void {
  serve(app, contract.listJobs, ({ actor, query }) => service.listJobs(db, actor, query));
  serve(app, contract.getJob, ({ actor, params }) => service.getJob(db, actor, params.jobId));
  serve(
    app,
    contract.cancelJob,
    ({ actor, params, body }) => service.cancelJob(db, actor, params.jobId, body),
  );
  serve(app, contract.holdJob, ({ actor, params }) => service.holdJob(db, actor, params.jobId));
  serve(app, contract.releaseJob, ({ actor, params }) => service.releaseJob(db, actor, params.jobId));
  serve(
    app,
    contract.retryJob,
    ({ actor, params }) => service.retryJob(db, actor, params.jobId, settlements),
  );
  serve(app, contract.changeJob, ({ actor, params, body }) => changeJob(db, actor, params.jobId, body));
  serve(app, contract.moveJob, ({ actor, params, body }) => service.moveJob(db, actor, params.jobId, body));
  serve(app, contract.steerJobs, ({ actor, body }) => steerJobs(db, actor, body, settlements));
  orderRoutes(app, db, settlements);
  serve(app, contract.getQueue, () => service.getQueue(db));
  serve(app, contract.listQueueJobs, ({ actor, query }) => listQueueJobs(db, actor, query));
  serve(app, contract.forecastQueue, ({ actor, query }) => forecastQueue(db, actor, Lane.options, query));
  serve(app, contract.pauseQueue, ({ actor, body }) => service.pauseQueue(db, actor, body));
  serve(app, contract.resumeQueue, ({ actor, body }) => service.resumeQueue(db, actor, body));
}

function orderRoutes(app: App, db: Db, settlements: readonly Settlement[]): void {
  const kinds: Kinds = new Map(settlements.map(({ kind }) => [kind.code, kind]));
  serve(
    app,
    contract.submitBatch,
    ({ actor, params, body }) => submitBatch(db, kinds, actor, params.projectId, body.jobs),
  );
  serve(app, contract.duplicateJobs, ({ actor, body }) => duplicateJobs(db, kinds, actor, body));
  serve(app, contract.exportQueue, ({ actor, query }) => exportQueue(db, actor, query));
  serve(
    app,
    contract.importQueue,
    ({ actor, body }) => importQueue(db, kinds, settlements, actor, body),
  );
}
