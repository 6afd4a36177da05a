/** Whether a process of this machine is alive; when it can't be told, yes, and its leases run out by themselves. */
export async function isAlive(pid: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  try {
    // Pids are used again: another program under a dead one's is not it.
    return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).includes("deno");
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
