import { assertEquals } from "@std/assert/mod.js";
import type { WorkerRules } from "#server/fleet/contract.ts";
import { followLines } from "./gpu_monitor.ts";
import { matchGpu, readNumber, readNvidiaLine, readRocm } from "./gpu_readings.ts";
import { whyRest } from "./guards.ts";
import { HostReader, ratesOf, readCpu, readNetwork } from "./host_vitals.ts";
import { digestOf } from "./profile.ts";

const MIB = 1024 * 1024;

Deno.test("readNvidiaLine() reads what nvidia-smi writes", () => {
  assertEquals(readNvidiaLine("0, NVIDIA GeForce RTX 4090, 97, 18213, 24564, 71, 402.31, 64, 2520"), {
    index: 0,
    name: "NVIDIA GeForce RTX 4090",
    gpuPercent: 97,
    vramUsedBytes: 18213 * MIB,
    vramTotalBytes: 24564 * MIB,
    celsius: 71,
    watts: 402.31,
    fanPercent: 64,
    clockMhz: 2520,
  });
});

Deno.test("readNvidiaLine() takes no data for null, never for 0", () => {
  // A data-centre card has no fan, a MIG slice no load, a card in trouble nothing.
  const h100 = readNvidiaLine("1, NVIDIA H100 80GB HBM3, 0, 4, 81559, 31, 70.11, [N/A], 345");
  assertEquals([h100?.gpuPercent, h100?.fanPercent], [0, null]);
  const sick = readNvidiaLine(
    "2, Tesla T4, [Not Supported], [N/A], N/A, ERR!, [Unknown Error], , [GPU is lost]",
  );
  assertEquals(sick, {
    index: 2,
    name: "Tesla T4",
    gpuPercent: null,
    vramUsedBytes: null,
    vramTotalBytes: null,
    celsius: null,
    watts: null,
    fanPercent: null,
    clockMhz: null,
  });
});

for (
  const line of [
    "",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
    "index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], a, b, c, d",
    "0, , 1, 2, 3, 4, 5, 6, 7",
    "0, X, 1, 2, 3, 4, 5, 6",
    ",".repeat(8),
    "x".repeat(100_000),
  ]
) {
  Deno.test(`readNvidiaLine() takes "${line.slice(0, 40)}" for no line of a card`, () =>
    assertEquals(readNvidiaLine(line), undefined));
}

Deno.test("readNumber() takes plain numbers only", () => {
  assertEquals(["1", "1.5", "-3", "0"].map(readNumber), [1, 1.5, -3, 0]);
  for (const text of ["", " ", "1 %", "1e5", "0x1", "NaN", "Infinity", "[N/A]", "9".repeat(30), undefined]) {
    assertEquals(readNumber(text), null, text);
  }
});

Deno.test("readRocm() reads what rocm-smi writes, and nothing of what is no card", () => {
  const text = JSON.stringify({
    card0: {
      "Card series": "Radeon RX 7900 XTX",
      "Temperature (Sensor edge) (C)": "54.0",
      "GPU use (%)": "99",
      "VRAM Total Memory (B)": "25753026560",
      "VRAM Total Used Memory (B)": "20132659200",
      "Average Graphics Package Power (W)": "303.0",
      "Fan speed (%)": "N/A",
      "sclk clock speed:": "(2331Mhz)",
    },
    system: { "Driver version": "6.7" },
  });
  assertEquals(readRocm(text), [{
    index: 0,
    name: "Radeon RX 7900 XTX",
    gpuPercent: 99,
    vramUsedBytes: 20132659200,
    vramTotalBytes: 25753026560,
    celsius: 54,
    watts: 303,
    fanPercent: null,
    clockMhz: 2331,
  }]);
  for (const bad of ["", "null", "[]", "WARNING: No AMD GPUs specified", '{"card0": 1}', '{"cardX": {}}']) {
    assertEquals(readRocm(bad), [], bad);
  }
});

Deno.test("matchGpu() finds the card that a ComfyUI names, and none rather than a wrong one", () => {
  const card = (index: number, name: string) => ({
    ...readNvidiaLine("0, X, 1, 1, 1, 1, 1, 1, 1")!,
    index,
    name,
  });
  const [one, two, other] = [card(0, "NVIDIA A40"), card(1, "NVIDIA A40"), card(2, "NVIDIA H100")];
  assertEquals(matchGpu("cuda:0 NVIDIA H100 : native", [one, two, other]), other);
  assertEquals(matchGpu("cuda:1 NVIDIA A40 : cudaMallocAsync", [one, two, other]), two);
  assertEquals(matchGpu("cuda:5 NVIDIA A40", [one, two]), undefined);
  assertEquals(matchGpu("cpu", [one]), undefined);
});

Deno.test("followLines() ends a tool that says nothing more", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "console.log('one'); setInterval(() => {}, 1000)"],
    stdout: "piped",
    stderr: "null",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lines: string[] = [];
  const said = Promise.withResolvers<void>();
  // The silence is counted anew from its first line on.
  const ended = followLines(child, new AbortController().signal, (line) => {
    lines.push(line);
    said.resolve();
  }, 10_000);
  await said.promise;
  child.kill("SIGSTOP");
  child.kill("SIGKILL");
  await ended;
  assertEquals(lines, ["one"]);
});

Deno.test("followLines() does not wait for a tool that never speaks", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "setInterval(() => {}, 1000)"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await followLines(child, new AbortController().signal, () => {}, 1);
  assertEquals((await child.status).success, false);
});

Deno.test("whyRest() rests at a temperature, and until it is well below it", () => {
  const rules: WorkerRules = {
    watchUpTo: null,
    pauseAtCelsius: 85,
    resumeAtCelsius: 70,
    minFreeVramBytes: null,
  };
  const rests = (celsius: number | null, isResting: boolean) =>
    whyRest(rules, { celsius, availableVramBytes: null }, isResting) !== undefined;
  assertEquals([rests(84, false), rests(85, false), rests(84, true), rests(71, true), rests(70, true)], [
    false,
    true,
    true,
    true,
    false,
  ]);
  assertEquals([rests(null, false), rests(null, true)], [false, false]);
  assertEquals(
    whyRest(rules, { celsius: 91.4, availableVramBytes: 0 }, false),
    "Its GPU has 91 °C: it takes jobs again at 70 °C",
  );
});

Deno.test("whyRest() rests while others hold the memory", () => {
  const GIB = 1024 ** 3;
  const rules = { watchUpTo: null, pauseAtCelsius: null, resumeAtCelsius: null, minFreeVramBytes: 10 * GIB };
  const rests = (availableVramBytes: number | null, isResting: boolean) =>
    whyRest(rules, { celsius: null, availableVramBytes }, isResting) !== undefined;
  assertEquals(
    [rests(9 * GIB, false), rests(10 * GIB, false), rests(10 * GIB, true), rests(11 * GIB, true)],
    [
      true,
      false,
      true,
      false,
    ],
  );
  assertEquals(rests(null, true), false);
});

Deno.test("readCpu() and readNetwork() read what Linux writes, and ratesOf() makes rates of them", () => {
  const cpu = readCpu("cpu  100 0 50 800 50 0 0 0 10 0\ncpu0 1 1 1 1 1\n");
  assertEquals(cpu, { busy: 150, total: 1000 });
  assertEquals([readCpu(""), readCpu("cpu x y z a b")], [undefined, undefined]);
  const net = readNetwork(
    "Inter-|   Receive  |  Transmit\n face |bytes    packets errs\n    lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n",
  );
  assertEquals([net, readNetwork("")], [{ received: 1000, sent: 2000 }, undefined]);
  const before = { at: 0, cpu, network: net };
  const now = { at: 2000, cpu: { busy: 200, total: 1200 }, network: { received: 3000, sent: 2000 } };
  assertEquals(ratesOf(before, now), { cpuPercent: 25, receivedBytesPerSecond: 1000, sentBytesPerSecond: 0 });
  const none = { cpuPercent: null, receivedBytesPerSecond: null, sentBytesPerSecond: null };
  assertEquals(ratesOf(undefined, now), none);
  assertEquals(ratesOf({ at: 0, cpu: undefined, network: undefined }, now), none);
  // A counter that began anew.
  assertEquals(ratesOf(now, { at: 4000, cpu, network: { received: 1, sent: 1 } }), none);
});

Deno.test("HostReader says no data of a disk that is not there", async () => {
  const reader = new HostReader("/nowhere");
  const first = await reader.read();
  assertEquals([first.cpuPercent, first.diskTotalBytes, first.diskUsedBytes], [null, null, null]);
});

Deno.test("digestOf() leaves out the files that a node offers, and sees a new input", () => {
  const loader = (options: string[], more = {}) => ({
    input: { required: { ckpt_name: [options, { default: options[0] }], ...more } },
    output: ["MODEL"],
  });
  const first = digestOf(loader([]));
  assertEquals(digestOf(loader(["a.safetensors", "b.ckpt"])), digestOf(loader(["c.safetensors"])));
  const ofFolders = (folders: string[]) => digestOf({ input: { required: { folder: [folders, {}] } } });
  assertEquals(ofFolders(["portraits"]), ofFolders([]));
  const ofVaes = (vaes: string[]) => digestOf({ input: { required: { vae_name: [vaes] } } });
  assertEquals(ofVaes(["pixel_space"]), ofVaes(["new.safetensors", "pixel_space"]));
  assertEquals(
    digestOf({ input: { required: { x: [[]] } } }),
    digestOf({ input: { required: { x: [["a.png"]] } } }),
  );
  assertEquals(first === digestOf(loader([], { seed: ["INT", { min: 0 }] })), false);
  assertEquals(
    digestOf({ input: { required: { m: [["a", "b"]] } } }) ===
      digestOf({ input: { required: { m: [["a"]] } } }),
    false,
  );
});
