import { longest, shortest } from "#server/core/legal_length.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { PIPELINE_PARAMETERS, type WorkflowTemplate } from "./manifest.ts";

/**
 * Everything in which a template's manifest and graph disagree, as sentences; empty when it is sound. Knows nothing
 * of node classes: that is `requirementsMissing`.
 */
export function checkTemplate(template: WorkflowTemplate): string[] {
  return [
    ...checkLinks(template.graph),
    ...checkBindings(template),
    ...checkKnobs(template),
    ...checkRequires(template),
    ...checkConstraints(template),
  ];
}

/** `[node, output]`, or undefined for a literal. */
export function linkOf(value: unknown): { node: string; output: number } | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [node, output] = value;
  return typeof node === "string" && typeof output === "number" ? { node, output } : undefined;
}

function checkLinks(graph: ApiGraph): string[] {
  const wrong: string[] = [];
  for (const [id, { inputs }] of Object.entries(graph)) {
    for (const [name, value] of Object.entries(inputs)) {
      const link = linkOf(value);
      if (Array.isArray(value) && !link) wrong.push(`${id}.${name} is a list but no link ["node", output]`);
      else if (link && !graph[link.node]) {
        wrong.push(`${id}.${name} is linked to node ${link.node}, which is not there`);
      }
    }
  }
  return [...wrong, ...findCycle(graph)];
}

function findCycle(graph: ApiGraph): string[] {
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): string[] => {
    if (path.includes(id)) {
      return [`Nodes ${[...path.slice(path.indexOf(id)), id].join(" → ")} feed each other`];
    }
    if (done.has(id)) return [];
    const sources = Object.values(graph[id]?.inputs ?? {}).map((value) => linkOf(value)?.node);
    const found = sources.flatMap((source) => source === undefined ? [] : visit(source, [...path, id]));
    done.add(id);
    return found;
  };
  return Object.keys(graph).flatMap((id) => visit(id, []));
}

function checkBindings({ manifest, graph }: WorkflowTemplate): string[] {
  const wrong: string[] = [];
  for (const [parameter, { to, withoutIt = [], required }] of Object.entries(manifest.bindings)) {
    for (const { node, input } of to) {
      const inputs = graph[node]?.inputs;
      if (!inputs) wrong.push(`${parameter} is bound to node ${node}, which is not there`);
      else if (!Object.hasOwn(inputs, input)) {
        wrong.push(`${parameter} is bound to ${node}.${input}, which is not there`);
      } else if (linkOf(inputs[input])) {
        wrong.push(`${parameter} is bound to ${node}.${input}, which is linked`);
      }
    }
    for (const id of withoutIt) {
      if (!graph[id]) wrong.push(`Without ${parameter}, node ${id} would be left out, but it is not there`);
    }
    if (withoutIt.includes(manifest.result.node)) wrong.push(`Without ${parameter} there is no result`);
    const isKnob = manifest.knobs.some((knob) => knob.parameter === parameter);
    if (!isKnob && !Object.hasOwn(PIPELINE_PARAMETERS, parameter)) {
      wrong.push(`${parameter} is bound, but is neither a pipeline parameter nor a knob`);
    }
    const isFile = Object.entries(PIPELINE_PARAMETERS).some(([name, kind]) =>
      name === parameter && kind === "file"
    );
    if (isFile && !required && withoutIt.length === 0) {
      wrong.push(`${parameter} is an optional file: say in withoutIt which nodes to leave out`);
    }
  }
  if (!graph[manifest.result.node]) {
    wrong.push(`The result is node ${manifest.result.node}, which is not there`);
  }
  return wrong;
}

function checkKnobs({ manifest, graph }: WorkflowTemplate): string[] {
  return manifest.knobs.flatMap((knob) => {
    const places = manifest.bindings[knob.parameter]?.to;
    if (!places) return [`The knob ${knob.parameter} is bound to nothing`];
    const wrong: string[] = [];
    if ("min" in knob && !(knob.min <= knob.default && knob.default <= knob.max)) {
      wrong.push(`The knob ${knob.parameter} starts at ${knob.default}, outside ${knob.min}–${knob.max}`);
    }
    if (knob.kind === "choice" && !knob.options.some(({ value }) => value === knob.default)) {
      wrong.push(`The knob ${knob.parameter} starts at ${knob.default}, which is no option`);
    }
    for (const { node, input, transform } of places) {
      const literal = graph[node]?.inputs[input];
      if (!transform && literal !== undefined && literal !== knob.default) {
        wrong.push(
          `The knob ${knob.parameter} starts at ${knob.default}, but ${node}.${input} is ${literal}`,
        );
      }
    }
    return wrong;
  });
}

function checkRequires({ manifest, graph }: WorkflowTemplate): string[] {
  const used = new Set(Object.values(graph).map((node) => node.class_type));
  const listed = new Set(manifest.requires.nodes);
  return [
    ...[...used].filter((name) => !listed.has(name)).map((name) =>
      `${name} is used, but not listed as required`
    ),
    ...[...listed].filter((name) => !used.has(name)).map((name) =>
      `${name} is listed as required, but not used`
    ),
    ...manifest.requires.models
      .filter(({ node, input, name }) => graph[node]?.inputs[input] !== name)
      .map(({ node, input, name }) =>
        `The model ${name} is listed for ${node}.${input}, which names another`
      ),
  ];
}

function checkConstraints({ manifest }: WorkflowTemplate): string[] {
  const { video, sides, maxPixels } = manifest.constraints;
  const isVideoRole = manifest.role === "image_to_video" || manifest.role === "first_last_to_video";
  const wrong: string[] = [];
  if (isVideoRole !== (video !== undefined)) {
    wrong.push("Video constraints belong to video workflows, and only there");
  }
  if (isVideoRole === (manifest.result.kind === "image")) {
    wrong.push(`A ${manifest.role} does not make one image`);
  }
  if (video && shortest(video.frames) > longest(video.frames)) wrong.push("No length is legal");
  if (manifest.role === "first_last_to_video" && !video?.reachesLastImage) {
    wrong.push("A first-last workflow must reach its last image");
  }
  if (sides.min > sides.max) wrong.push("The sides' min is above their max");
  if (maxPixels < sides.min ** 2) wrong.push("The smallest size has more pixels than allowed");
  return wrong;
}
