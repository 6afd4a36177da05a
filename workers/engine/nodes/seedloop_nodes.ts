import type { AnyNode } from "./node_spec.ts";

/** The engine's own nodes, which compute motion, relighting and variation from pixels. */
export const SEEDLOOP_NODES: readonly AnyNode[] = [];
