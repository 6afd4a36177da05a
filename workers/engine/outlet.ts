import type { PreviewFrame } from "./nodes/node_spec.ts";

/** A preview and the node that it shows. */
export interface NodePreview {
  readonly nodeId: string;
  readonly promptId: string;
  readonly frame: PreviewFrame;
}

/** Where the executor's messages go. They reach sockets in the order of the calls. */
export interface Outlet {
  /** A JSON event to one client; to all when `clientId` is undefined. */
  send(type: string, data: Readonly<Record<string, unknown>>, clientId: string | undefined): void;
  /** A picture: to clients that asked for metadata at once, to the others after `send`s already made. */
  preview(preview: NodePreview, form: "with_metadata" | "plain", clientId: string | undefined): void;
  /** A TEXT frame to all. */
  text(nodeId: string, text: string): void;
}
