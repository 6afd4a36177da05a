/** What one writes in an afternoon: a prompt to a ComfyUI, its one file to disk. */
export interface DirectClient {
  run(graph: unknown, path: string): Promise<void>;
  close(): Promise<void>;
}

export async function openDirectClient(url: string): Promise<DirectClient> {
  const clientId = crypto.randomUUID();
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws?clientId=${clientId}`);
  const ends = new Map<string, () => void>();
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return;
    const { type, data: said } = JSON.parse(data);
    if (type === "executing" && said.node === null) ends.get(said.prompt_id)?.();
  };
  await new Promise((resolve) => socket.onopen = resolve);
  const read = async (path: string) => {
    const response = await fetch(url + path);
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
    return response;
  };
  return {
    async run(graph, path) {
      const promptId = crypto.randomUUID();
      const ended = new Promise<void>((resolve) => ends.set(promptId, resolve));
      const body = JSON.stringify({ prompt: graph, client_id: clientId, prompt_id: promptId });
      const sent = await fetch(`${url}/prompt`, { method: "POST", body });
      if (!sent.ok) throw new Error(await sent.text());
      await sent.body?.cancel();
      await ended;
      ends.delete(promptId);
      const history = await (await read(`/history/${promptId}`)).json();
      const [image] = history[promptId].outputs["2"].images;
      const bytes = new Uint8Array(await (await read(`/view?${new URLSearchParams(image)}`)).arrayBuffer());
      // As durable as what it is compared with.
      using file = await Deno.open(path, { write: true, create: true });
      await file.write(bytes);
      await file.sync();
    },
    close: async () => {
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    },
  };
}
