import type { App } from "#server/http/http_env.ts";
import { serve } from "#server/http/serve.ts";
import * as contract from "./contract.ts";
import * as service from "./service.ts";

export function firstRunRoutes(app: App, place: service.SamplePlace): void {
  serve(app, contract.getSample, ({ actor }) => service.readSample(place, actor));
  serve(app, contract.advanceSample, ({ actor }) => service.advanceSample(place, actor));
}
