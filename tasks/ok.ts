/** Everything that must be green before a commit, in the order in which it fails fastest. */
const STEPS: readonly (readonly [name: string, ...args: string[]])[] = [
  ["format", "fmt", "--check"],
  ["lint", "lint"],
  ["types", "check", "server", "workers", "tasks", "client"],
  ["tests", "run", "-A", "tasks/run_tests.ts"],
];

for (const [name, ...args] of STEPS) {
  console.log(`\n── ${name}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) {
    console.error(`\n${name} failed`);
    Deno.exit(code);
  }
}
console.log("\nok");
