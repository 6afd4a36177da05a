import type { Rate } from "#server/core/media_time.ts";
import { timecode } from "#server/core/media_time.ts";

/** One clip of a master, in frames; the projection that CSV and XML share (standards.md D.10). */
export interface SidecarItem {
  readonly scene: string;
  readonly item: number;
  readonly clip: string;
  readonly version: number;
  readonly reel: string;
  readonly recordInFrame: number;
  readonly frameCount: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelFormat: string;
  readonly colorPrimaries: string;
  readonly colorTransfer: string;
  readonly colorMatrix: string;
  readonly colorRange: string;
  readonly seed: string;
  readonly workflow: string;
  readonly workflowHash: string;
  readonly models: string;
  readonly prompt: string;
  readonly likenessMedian: string;
  readonly likenessMin: string;
  readonly seamWorst: string;
  readonly approvedBy: string;
  readonly approvedAt: string;
  readonly sha256: string;
  readonly file: string;
}

export interface SidecarHeader {
  readonly title: string;
  readonly rate: Rate;
  readonly startFrame: number;
  readonly masterFile: string;
  readonly masterSha256: string;
  readonly frames: number;
}

export const NAMESPACE = "urn:seedloop:sidecar:1";

const COLUMNS = [
  "scene",
  "item",
  "clip",
  "version",
  "reel",
  "src_in_tc",
  "src_out_tc",
  "src_in_f",
  "src_out_f",
  "rec_in_tc",
  "rec_out_tc",
  "rec_in_f",
  "rec_out_f",
  "fps_num",
  "fps_den",
  "drop",
  "width",
  "height",
  "pix_fmt",
  "color_primaries",
  "color_trc",
  "color_space",
  "range",
  "handles_in",
  "handles_out",
  "seed",
  "workflow",
  "workflow_hash",
  "models",
  "prompt",
  "likeness_median",
  "likeness_min",
  "seam_worst",
  "approved_by",
  "approved_at",
  "sha256",
  "file",
] as const;

type Row = Record<(typeof COLUMNS)[number], string>;

/** Out points are exclusive; source timecode counts from the studio's 01:00:00:00-style start as well. */
function toRow(header: SidecarHeader, item: SidecarItem): Row {
  const { rate, startFrame } = header;
  const at = (frame: number) => timecode(startFrame + frame, rate);
  const recordOut = item.recordInFrame + item.frameCount;
  return {
    scene: item.scene,
    item: String(item.item),
    clip: item.clip,
    version: String(item.version),
    reel: item.reel,
    src_in_tc: at(0),
    src_out_tc: at(item.frameCount),
    src_in_f: "0",
    src_out_f: String(item.frameCount),
    rec_in_tc: at(item.recordInFrame),
    rec_out_tc: at(recordOut),
    rec_in_f: String(item.recordInFrame),
    rec_out_f: String(recordOut),
    fps_num: String(rate.num),
    fps_den: String(rate.den),
    drop: timecode(0, rate).includes(";") ? "1" : "0",
    width: String(item.widthPx),
    height: String(item.heightPx),
    pix_fmt: item.pixelFormat,
    color_primaries: item.colorPrimaries,
    color_trc: item.colorTransfer,
    color_space: item.colorMatrix,
    range: item.colorRange,
    handles_in: "0",
    handles_out: "0",
    seed: item.seed,
    workflow: item.workflow,
    workflow_hash: item.workflowHash,
    models: item.models,
    prompt: item.prompt,
    likeness_median: item.likenessMedian,
    likeness_min: item.likenessMin,
    seam_worst: item.seamWorst,
    approved_by: item.approvedBy,
    approved_at: item.approvedAt,
    sha256: item.sha256,
    file: item.file,
  };
}

/** RFC 4180 with a header row. A cell that a spreadsheet would run as a formula gets a leading apostrophe. */
export function writeCsv(header: SidecarHeader, items: readonly SidecarItem[]): string {
  const lines = [
    COLUMNS.join(","),
    ...items.map((item) => {
      const row = toRow(header, item);
      return COLUMNS.map((column) => csvCell(row[column])).join(",");
    }),
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

function csvCell(text: string): string {
  const isFormula = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The same facts as XML 1.0 in the studio's own namespace. */
export function writeXml(header: SidecarHeader, items: readonly SidecarItem[]): string {
  const { rate } = header;
  const rows = items.map((item) => {
    const row = toRow(header, item);
    const cells = COLUMNS.map((column) => `      <${column}>${xmlText(row[column])}</${column}>`).join("\n");
    return `    <item>\n${cells}\n    </item>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<seedloop xmlns="${NAMESPACE}" version="1.0">`,
    "  <master>",
    `    <title>${xmlText(header.title)}</title>`,
    `    <file sha256="${xmlText(header.masterSha256)}">${xmlText(header.masterFile)}</file>`,
    `    <rate num="${rate.num}" den="${rate.den}"/>`,
    `    <frames>${header.frames}</frames>`,
    `    <start>${timecode(header.startFrame, rate)}</start>`,
    "  </master>",
    "  <items>",
    ...rows,
    "  </items>",
    "</seedloop>",
    "",
  ].join("\n");
}

function xmlText(text: string): string {
  // XML 1.0 knows no control characters but tab and line ends, not even escaped.
  return text
    // deno-lint-ignore no-control-regex -- these are the characters that must go
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    // Readers turn a bare one into a line feed.
    .replaceAll("\r", "&#13;");
}
