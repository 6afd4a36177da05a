import { longest, shortest } from "#server/core/legal_length.ts";
import type { ApiGraph } from "#server/fleet/job_kinds.ts";
import { transformed } from "./bind.ts";
import { PIPELINE_PARAMETERS, type Place, type WorkflowManifest, type WorkflowTemplate } from "./manifest.ts";

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
      else if (link && !inputsOf(graph, link.node)) {
        wrong.push(`${id}.${name} is linked to node ${link.node}, which is not there`);
      }
    }
  }
  return [...wrong, ...findCycle(graph)];
}

/** Nodes are peeled off from both ends, first those that nothing feeds; what stays lies on a circle or between two. */
function findCycle(graph: ApiGraph): string[] {
  const links = Object.entries(graph).flatMap(([to, { inputs }]) =>
    Object.values(inputs).flatMap((value) => {
      const from = linkOf(value)?.node;
      return from === undefined ? [] : [[from, to] as const];
    })
  );
  const flipped = links.map(([from, to]) => [to, from] as const);
  const left = peel(peel(new Set(Object.keys(graph)), links), flipped);
  return left.size === 0
    ? []
    : [`Nodes ${[...left].join(", ")} feed each other: remove a link of the circle`];
}

/** What is left of `nodes` after taking away, again and again, those to which no link leads. */
function peel(nodes: ReadonlySet<string>, links: readonly (readonly [string, string])[]): Set<string> {
  const left = new Set(nodes);
  const outgoing = Map.groupBy(links, ([from]) => from);
  const incoming = new Map<string, number>();
  for (const [from, to] of links) if (left.has(from)) incoming.set(to, (incoming.get(to) ?? 0) + 1);
  const free = [...left].filter((node) => !incoming.get(node));
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    left.delete(node);
    for (const [, to] of outgoing.get(node) ?? []) {
      const count = (incoming.get(to) ?? 0) - 1;
      incoming.set(to, count);
      if (count === 0 && left.has(to)) free.push(to);
    }
  }
  return left;
}

/** Ids come from people's files: "constructor" is no node of every graph. */
function inputsOf(graph: ApiGraph, node: string): Readonly<Record<string, unknown>> | undefined {
  return Object.hasOwn(graph, node) ? graph[node]?.inputs : undefined;
}

function checkBindings({ manifest, graph }: WorkflowTemplate): string[] {
  const wrong: string[] = [];
  for (const [parameter, { to, withoutIt = [], required }] of Object.entries(manifest.bindings)) {
    wrong.push(...to.flatMap((place) => checkPlace(manifest, graph, parameter, place)));
    for (const id of withoutIt) {
      if (!inputsOf(graph, id)) {
        wrong.push(`Without ${parameter}, node ${id} would be left out, but it is not there`);
      }
    }
    if (withoutIt.includes(manifest.result.node)) wrong.push(`Without ${parameter} there is no result`);
    const kind = kindOf(manifest, parameter);
    if (!kind) wrong.push(`${parameter} is bound, but is neither a pipeline parameter nor a knob`);
    if (kind === "file" && !required && withoutIt.length === 0) {
      wrong.push(`${parameter} is an optional file: say in withoutIt which nodes to leave out`);
    }
  }
  if (!inputsOf(graph, manifest.result.node)) {
    wrong.push(`The result is node ${manifest.result.node}, which is not there`);
  }
  return wrong;
}

function checkPlace(manifest: WorkflowManifest, graph: ApiGraph, parameter: string, place: Place): string[] {
  const { node, input, transform } = place;
  const inputs = inputsOf(graph, node);
  if (!inputs) return [`${parameter} is bound to node ${node}, which is not there`];
  if (!Object.hasOwn(inputs, input)) return [`${parameter} is bound to ${node}.${input}, which is not there`];
  if (linkOf(inputs[input])) return [`${parameter} is bound to ${node}.${input}, which is linked`];
  const kind = kindOf(manifest, parameter);
  if (!kind) return [];
  if (kind === "rate" && (typeof transform !== "string" || transform === "seed_32")) {
    return [
      `${parameter} is a fraction: say for ${node}.${input} whether it takes rate_float, rate_num or rate_den`,
    ];
  }
  const isNumber = ["integer", "number", "seed"].includes(kind);
  const wantsRate = typeof transform === "string" && transform !== "seed_32";
  if (transform !== undefined && (wantsRate ? kind !== "rate" : !isNumber)) {
    return [
      `${parameter} can't be rewritten for ${node}.${input} as told: it is no ${
        wantsRate ? "rate" : "number"
      }`,
    ];
  }
  return [];
}

/** What a parameter holds; undefined for one that nobody gives. */
function kindOf(manifest: WorkflowManifest, parameter: string): string | undefined {
  const knob = manifest.knobs.find((candidate) => candidate.parameter === parameter);
  return knob?.kind ?? Object.entries(PIPELINE_PARAMETERS).find(([name]) => name === parameter)?.[1];
}

function checkKnobs({ manifest, graph }: WorkflowTemplate): string[] {
  return manifest.knobs.flatMap((knob) => {
    const places = Object.entries(manifest.bindings).find(([name]) => name === knob.parameter)?.[1].to;
    if (!places) return [`The knob ${knob.parameter} is bound to nothing`];
    const wrong: string[] = [];
    if ("min" in knob && !(knob.min <= knob.default && knob.default <= knob.max)) {
      wrong.push(`The knob ${knob.parameter} starts at ${knob.default}, outside ${knob.min}–${knob.max}`);
    }
    if (knob.kind === "choice" && !knob.options.some(({ value }) => value === knob.default)) {
      wrong.push(`The knob ${knob.parameter} starts at ${knob.default}, which is no option`);
    }
    for (const { node, input, transform } of places) {
      const literal = inputsOf(graph, node)?.[input];
      const start = transformed(knob.default, typeof transform === "string" ? undefined : transform);
      if (literal !== undefined && literal !== start) {
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
    wrong.push(
      `The role ${manifest.role} does not make ${manifest.result.kind === "image" ? "one image" : "video"}`,
    );
  }
  if (video && shortest(video.frames) > longest(video.frames)) wrong.push("No length is legal");
  if (manifest.role === "first_last_to_video" && !video?.reachesLastImage) {
    wrong.push("A first-last workflow must reach its last image");
  }
  if (sides.min > sides.max) wrong.push("The sides' min is above their max");
  if (maxPixels < sides.min ** 2) wrong.push("The smallest size has more pixels than allowed");
  return wrong;
}
