/** Sends a signal to a process group and to all that its leader has started, also where they left the group. */
export async function signalTree(leader: number, signal: Deno.Signal): Promise<void> {
  // Read first: children of a dead process are nobody's.
  const others = await descendants(leader);
  send(-leader, signal);
  for (const pid of others) send(pid, signal);
}

/** Kills a process group and all that its leader has started. */
export async function killTree(leader: number): Promise<void> {
  await signalTree(leader, "SIGKILL");
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It is gone already, or the system knows no groups.
  }
}

/** All that a process has started, and they in turn; empty where the system does not tell. */
export async function descendants(leader: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  try {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
      // "pid (name) state parent …": the name may hold anything, brackets too.
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...children.get(parent) ?? [], Number(name)]);
    }
  } catch {
    return [];
  }
  const found: number[] = [];
  for (const next = [leader]; next.length > 0;) {
    const own = children.get(next.pop() ?? 0) ?? [];
    found.push(...own);
    next.push(...own);
  }
  return found;
}
