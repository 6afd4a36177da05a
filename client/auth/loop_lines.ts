import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const RINGS = Array.from({ length: 14 }, (_, index) => index + 1);

/** The mark's outline, going out over the page ring by ring: hairlines that fade. Decoration only. */
export function loopLines(): TemplateResult {
  return html`
    <svg class="lines" viewBox="-800 -450 1600 900" preserveAspectRatio="xMidYMid slice" fill="none"
      stroke="var(--color-line)" aria-hidden="true">
      ${RINGS.map((ring) => diamond(ring * 68 + 130, Math.max(0.12, 0.75 - ring * 0.05)))}
    </svg>
  `;
}

function diamond(radius: number, opacity: number): SVGTemplateResult {
  return svg`<path d=${`M0 ${-radius} ${radius} 0 0 ${radius} ${-radius} 0Z`} stroke-opacity=${
    opacity.toFixed(2)
  }/>`;
}
