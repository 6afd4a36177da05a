import { errorMessage } from "#server/core/errors.ts";
import { readConfig } from "#server/config.ts";
import { examine, type Finding } from "./doctor/examine.ts";

const MARKS: Record<Finding["state"], string> = { ok: "ok", degraded: "degraded", missing: "MISSING" };

/**
 * Says what this machine offers the studio and how to mend what is missing. Options: those of `deno task start`, and
 * --json. Ends with 1 when something is missing without which the studio does not work.
 */
async function main(): Promise<number> {
  const isJson = Deno.args.includes("--json");
  let findings: Finding[];
  try {
    findings = await examine(readConfig(Deno.args.filter((argument) => argument !== "--json")));
  } catch (error) {
    console.error(errorMessage(error));
    return 2;
  }
  const isFit = findings.every(({ state }) => state !== "missing");
  if (isJson) console.log(JSON.stringify({ isFit, findings }, null, 2));
  else print(findings, isFit);
  return isFit ? 0 : 1;
}

function print(findings: readonly Finding[], isFit: boolean): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, state, found, mend } of findings) {
    console.log(`${name.padEnd(width)}  ${MARKS[state].padEnd(8)}  ${found}`);
    if (mend) console.log(`${" ".repeat(width)}            → ${mend}`);
  }
  const worse = findings.filter(({ state }) => state === "degraded").length;
  console.log(
    isFit
      ? `\nThe studio works here${worse ? `; ${worse} of its parts could be better` : ""}.`
      : "\nThe studio does not work here until what is missing is mended.",
  );
}

Deno.exit(await main());
