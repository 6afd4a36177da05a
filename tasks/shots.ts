import { join } from "node:path";
import { acceptLink, createToken, signIn } from "#server/auth/contract.ts";
import { readConfig } from "#server/config.ts";
import * as clips from "#server/clips/contract.ts";
import { errorMessage } from "#server/core/errors.ts";
import { pauseQueue, resumeQueue } from "#server/jobs/contract.ts";
import { cancelVariations, createVariations } from "#server/seeds/contract.ts";
import { silentLog } from "#server/core/log.ts";
import { startStudio } from "#server/main.ts";
import { openBrowser } from "#server/testing/browser.ts";
import { until } from "#server/testing/until.ts";
import { ApiClient } from "./demo/api_client.ts";
import { buildClient } from "./build_client.ts";
import { Camera } from "./shots/camera.ts";
import { writeContactPage } from "./shots/contact_page.ts";
import {
  addCharacter,
  addClips,
  addFailure,
  addMembers,
  addPeople,
  addProject,
  PATIENT,
} from "./shots/full_studio.ts";
import { HELP, readOptions, type ShotsOptions } from "./shots/options.ts";
import { Tour } from "./shots/tour.ts";
import { findWorld } from "./shots/world.ts";

/** A studio to look at, and how to end it. */
interface Place {
  readonly url: string;
  readonly firstAdminUrl: string | undefined;
  /** Ends the studio, when it is ours. */
  stop(): Promise<void>;
  /** Ends it and takes its data away. */
  leave(): Promise<void>;
}

async function main(): Promise<number> {
  let options: ShotsOptions | "help";
  try {
    options = readOptions(Deno.args);
  } catch (error) {
    console.error(errorMessage(error));
    return 2;
  }
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  await Deno.mkdir(options.out, { recursive: true });
  const camera = new Camera(options);
  const place = await openPlace(options);
  try {
    await photograph(options, place, camera);
  } finally {
    await place.leave();
    const page = join(options.out, "index.html");
    await Deno.writeTextFile(page, writeContactPage(camera.pictures, camera.faults));
    if (camera.pictures.length === 0 && camera.faults.length === 0) {
      camera.faults.push(
        `No picture has "${options.only ?? ""}" in its name. There are: ${[...camera.names].join(", ")}`,
      );
    }
    for (const fault of camera.faults) console.error(fault);
    console.log(`${camera.pictures.length} pictures: ${page}`);
  }
  return camera.faults.length === 0 ? 0 : 1;
}

async function openPlace({ url, data }: ShotsOptions): Promise<Place> {
  if (url) return { url, firstAdminUrl: undefined, stop: async () => {}, leave: async () => {} };
  await buildClient();
  const folder = await Deno.makeTempDir({ prefix: "seedloop_shots_" });
  if (data) await copyFolder(data, folder);
  const studio = await startStudio(readConfig(["--data", folder, "--port", "0"]), silentLog);
  let isStopped = false;
  const stop = async () => {
    if (!isStopped) await studio.stop();
    isStopped = true;
  };
  const leave = async () => {
    await stop();
    await Deno.remove(folder, { recursive: true });
  };
  return { url: studio.url, firstAdminUrl: studio.firstAdminUrl, stop, leave };
}

/** The states in an order in which each follows from the one before; the studio is stopped last. */
async function photograph(options: ShotsOptions, place: Place, camera: Camera): Promise<void> {
  await using opened = await openBrowser();
  const tour = new Tour(opened, place.url, options, camera);
  if (place.firstAdminUrl) await makeFullStudio(options, place.url, place.firstAdminUrl, tour);
  else {
    await tour.visitSignIn();
    await tour.enter(options.login, options.password);
  }
  const api = await openApi(place.url, options);
  const world = await findWorld(api);
  await tour.visitFull(world);
  await tour.visitRefused(world);
  if (!options.url) await tour.visitSilent(world, place.stop);
}

async function makeFullStudio(options: ShotsOptions, url: string, link: string, tour: Tour): Promise<void> {
  const { login, password } = options;
  await tour.visitSetup(link);
  const guest = new ApiClient(url, "");
  await guest.call(acceptLink, {
    body: { token: new URL(link).hash.slice(1), login, displayName: "Ada Lovelace", password },
  });
  await tour.visitSignIn();
  await tour.enter(login, password);
  await tour.visitEmptyStudio();
  const api = await openApi(url, options);
  await addPeople(api);
  await addProject(api, "Nightfall");
  const project = await addProject(api, "Aurora");
  await tour.visitEmptyProject(`/projects/${project.id}`);
  await addMembers(api, project);
  const cast = await addCharacter(api, project);
  await addFailure(api, project, cast);
  const { running, final } = await addClips(api, project, cast);
  const clip = (id: string) => `/projects/${project.id}/clips/${id}`;
  await tour.visitFinal(clip(final.id));
  const readSegments = async () =>
    (await api.call(clips.getClip, { params: { clipId: running.id } })).segments;
  await api.call(clips.generateClip, { params: { clipId: running.id } });
  const isChosen = async () =>
    (await readSegments()).some(({ takes }) => takes.some(({ isChosen }) => isChosen));
  await until("a chosen take", isChosen, PATIENT);
  await tour.visitRunning(clip(running.id));
  await api.call(clips.pauseClip, { params: { clipId: running.id } });
  await api.call(pauseQueue, { body: { lane: "gpu" } });
  const batch = await api.call(createVariations, {
    params: { characterId: cast.character.id },
    body: { portraitSeedId: cast.portrait.id, count: 12 },
  });
  await tour.visitWaiting(`/projects/${project.id}/batches/${batch.id}`);
  await api.call(cancelVariations, { params: { batchId: batch.id } });
  await api.call(resumeQueue, { body: { lane: "gpu" } });
}

async function openApi(url: string, { login, password }: ShotsOptions): Promise<ApiClient> {
  const entered = await new ApiClient(url, "").call(signIn, { body: { login, password } });
  const made = await new ApiClient(url, entered.accessToken).call(createToken, {
    body: { name: "Screens", scopes: ["admin"], expiresInDays: 1 },
  });
  return new ApiClient(url, made.secret);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  await keepOwner(from, to);
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) await copyFolder(source, target);
    else if (isFile && name !== "postmaster.pid") {
      await Deno.copyFile(source, target);
      await keepOwner(source, target);
    }
  }
}

/** The database starts in a folder of its own user's only. */
async function keepOwner(from: string, to: string): Promise<void> {
  const { mode, uid, gid } = await Deno.stat(from);
  if (mode !== null) await Deno.chmod(to, mode & 0o7777);
  if (uid !== null && gid !== null) await Deno.chown(to, uid, gid);
}

if (import.meta.main) Deno.exit(await main());
