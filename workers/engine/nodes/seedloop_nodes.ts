import type { AnyNode } from "./node_spec.ts";
import { seedloopFoundation } from "./seedloop_foundation.ts";
import { seedloopMotion } from "./seedloop_motion.ts";
import { seedloopPortrait } from "./seedloop_portrait.ts";
import { seedloopSaveVideo } from "./seedloop_save_video.ts";

/** The engine's own nodes, which compute motion, relighting and variation from pixels. */
export const SEEDLOOP_NODES: readonly AnyNode[] = [
  seedloopFoundation,
  seedloopPortrait,
  seedloopMotion,
  seedloopSaveVideo,
];
