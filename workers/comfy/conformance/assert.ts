import { asList, asRecord, asText, asTexts } from "#workers/comfy/json.ts";
import { isEnd, type Message } from "./peer.ts";

/** Fails with what was expected and what came. Comparison is by JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const a = JSON.stringify(actual);
  const b = JSON.stringify(expected);
  if (a !== b) throw new Error(`${what}: expected ${b}, but the server has ${a}`);
}

export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** A prompt's messages in short: "start", "cached 1,2", "executing 3", "executed 3", "success", "end" … */
export function outline(messages: readonly Message[]): string[] {
  return messages.flatMap((message) => {
    const { type, data } = message;
    if (isEnd(message)) return ["end"];
    switch (type) {
      case "execution_start":
        return ["start"];
      case "execution_cached":
        return [`cached ${asTexts(data.nodes).sort().join(",")}`.trim()];
      case "executing":
      case "executed":
        return [`${type} ${data.node}`];
      case "execution_error":
      case "execution_success":
      case "execution_interrupted":
        return [type.slice("execution_".length)];
      case "status":
        return ["status"];
      default:
        return [];
    }
  });
}

/** The file entries of a node's output. */
export function filesOf(output: unknown): Record<string, unknown>[] {
  const images = asList(asRecord(output)?.images);
  return images.map((item) => asRecord(item)).filter((item) => item !== undefined);
}

export function namesOf(output: unknown): string[] {
  return filesOf(output).map((file) => asText(file.filename) ?? "");
}

/** Names of the messages kept in history. */
export function historyMessages(history: Record<string, unknown>): string[] {
  return asList(asRecord(history.status)?.messages).map((item) => String(asList(item)[0]));
}

/** The status of a history entry, without its messages. */
export function historyStatus(history: Record<string, unknown>): unknown[] {
  const status = asRecord(history.status);
  return [status?.status_str, status?.completed];
}
