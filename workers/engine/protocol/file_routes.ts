import type { Folders } from "#workers/engine/nodes/node_spec.ts";
import type { Route } from "./route.ts";
import { receiveImage, receiveMask } from "./upload.ts";
import { viewFile } from "./view.ts";

/** Handing files in and out. */
export function fileRoutes(folders: Folders): Route[] {
  return [
    { method: "GET", path: "/view", run: (call) => viewFile(call, folders) },
    { method: "POST", path: "/upload/image", run: ({ request }) => receiveImage(request, folders) },
    { method: "POST", path: "/upload/mask", run: ({ request }) => receiveMask(request, folders) },
  ];
}
