/** A process of this machine, told apart from later ones with the same number by when it started. */
export interface ProcessMark {
  readonly pid: number;
  readonly startedAt: string;
  readonly command: string;
}

interface Entry extends ProcessMark {
  readonly parent: number;
}

/** Every process that `pid` has begotten and that still hangs on it, deepest last. Linux only; elsewhere none. */
export async function listDescendants(pid: number): Promise<ProcessMark[]> {
  const all = await listProcesses();
  const found: Entry[] = [];
  let parents = [pid];
  while (parents.length > 0) {
    const next = all.filter((each) => parents.includes(each.parent));
    found.push(...next);
    parents = next.map((each) => each.pid);
  }
  return found;
}

/** Those of `marks` that still run. */
export async function listSurvivors(marks: readonly ProcessMark[]): Promise<ProcessMark[]> {
  const alive = await listProcesses();
  return marks.filter((mark) =>
    alive.some((each) => each.pid === mark.pid && each.startedAt === mark.startedAt)
  );
}

/** Processes whose command line names `text`. */
export async function listNaming(text: string): Promise<ProcessMark[]> {
  return (await listProcesses()).filter((each) => each.pid !== Deno.pid && each.command.includes(text));
}

async function listProcesses(): Promise<Entry[]> {
  if (Deno.build.os !== "linux") return [];
  const entries: Entry[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      // The name stands in brackets and may hold anything: fields are counted from the last bracket.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") continue;
      const command = (await Deno.readTextFile(`/proc/${name}/cmdline`)).replaceAll("\0", " ").trim();
      entries.push({ pid: Number(name), parent: Number(fields[1]), startedAt: fields[19] ?? "", command });
    } catch {
      // It has ended meanwhile.
    }
  }
  return entries;
}
