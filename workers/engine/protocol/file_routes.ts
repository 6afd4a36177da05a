import type { Folders } from "#workers/engine/nodes/node_spec.ts";
import type { Route } from "./route.ts";
import { type InTurn, receiveImage, receiveMask } from "./upload.ts";
import { viewFile } from "./view.ts";

/** Handing files in and out. */
export function fileRoutes(folders: Folders): Route[] {
  // One upload at a time: two of one name must see each other's file.
  const inTurn = takeTurns();
  return [
    { method: "GET", path: "/view", run: (call) => viewFile(call, folders) },
    {
      method: "POST",
      path: "/upload/image",
      run: ({ request }) => receiveImage(request, folders, inTurn),
    },
    {
      method: "POST",
      path: "/upload/mask",
      run: ({ request }) => receiveMask(request, folders, inTurn),
    },
  ];
}

function takeTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
