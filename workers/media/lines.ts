/** Calls `onLine` for every line of a stream of UTF-8 text, without its line end; carriage returns end lines too. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
    rest = parts.pop() ?? "";
    for (const line of parts) if (line !== "") onLine(line);
  }
  if (rest !== "") onLine(rest);
}
