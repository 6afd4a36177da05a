import { WorkflowTemplate } from "./manifest.ts";
import ltxvI2v2b from "./templates/ltxv_i2v_2b.json" with { type: "json" };
import previewFirstLast from "./templates/preview_first_last.json" with { type: "json" };
import previewFoundation from "./templates/preview_foundation.json" with { type: "json" };
import previewMotion from "./templates/preview_motion.json" with { type: "json" };
import previewPortrait from "./templates/preview_portrait.json" with { type: "json" };
import wan22Flf14b from "./templates/wan22_flf_14b.json" with { type: "json" };
import wan22I2v14b from "./templates/wan22_i2v_14b.json" with { type: "json" };
import wan22I2v14bTurbo from "./templates/wan22_i2v_14b_turbo.json" with { type: "json" };
import wan22Ti2v5b from "./templates/wan22_ti2v_5b.json" with { type: "json" };

/** The workflows that come with the studio: the CPU preview set first, then the ready sets for real models. */
export const BUNDLED_TEMPLATES: readonly WorkflowTemplate[] = [
  previewFoundation,
  previewPortrait,
  previewMotion,
  previewFirstLast,
  wan22I2v14b,
  wan22I2v14bTurbo,
  wan22Flf14b,
  wan22Ti2v5b,
  ltxvI2v2b,
].map((file) => WorkflowTemplate.parse(file));

/** The bundled template of that code, or undefined. */
export function bundledTemplate(code: string): WorkflowTemplate | undefined {
  return BUNDLED_TEMPLATES.find(({ manifest }) => manifest.code === code);
}
