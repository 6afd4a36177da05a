import type { Json, Queryable } from "#server/db/db.ts";
import { HOST } from "#server/live/contract.ts";
import type { Sample } from "./vitals_board.ts";
import type { HostVitals, WorkerVitals } from "./contract.ts";

/** How far back each minute is kept. */
const KEPT_HOURS = 24;

/** Keeps the averages of a minute and forgets what is older than a day; a worker that is gone is left out. */
export async function saveMinute(
  db: Queryable,
  host: string,
  subject: string,
  minute: Sample,
): Promise<void> {
  const row = db.json(minute as unknown as Json);
  if (subject === HOST) {
    await db`
      insert into host_vitals (host, at, cpu_percent, memory_used_bytes, memory_total_bytes, disk_used_bytes,
                               disk_total_bytes, received_bytes_per_second, sent_bytes_per_second)
      select ${host}, g.at, g."cpuPercent", g."memoryUsedBytes", g."memoryTotalBytes", g."diskUsedBytes",
             g."diskTotalBytes", g."receivedBytesPerSecond", g."sentBytesPerSecond"
        from jsonb_to_record(${row}) as g (at timestamptz, "cpuPercent" real, "memoryUsedBytes" numeric,
               "memoryTotalBytes" numeric, "diskUsedBytes" numeric, "diskTotalBytes" numeric,
               "receivedBytesPerSecond" real, "sentBytesPerSecond" real)
      on conflict do nothing`;
    await db`delete from host_vitals where at < now() - ${KEPT_HOURS} * interval '1 hour'`;
    return;
  }
  await db`
    insert into worker_vitals (worker_id, at, gpu_percent, vram_used_bytes, vram_total_bytes, celsius, watts,
                               fan_percent, clock_mhz, ram_used_bytes, ram_total_bytes, queued, cpu_percent,
                               disk_used_bytes, disk_total_bytes, received_bytes_per_second, sent_bytes_per_second)
    select w.id, g.at, g."gpuPercent", g."vramUsedBytes", g."vramTotalBytes", g.celsius, g.watts, g."fanPercent",
           g."clockMhz", g."ramUsedBytes", g."ramTotalBytes", g.queued, g."cpuPercent", g."diskUsedBytes",
           g."diskTotalBytes", g."receivedBytesPerSecond", g."sentBytesPerSecond"
      from workers w, jsonb_to_record(${row}) as g (at timestamptz, "gpuPercent" real, "vramUsedBytes" numeric,
             "vramTotalBytes" numeric, celsius real, watts real, "fanPercent" real, "clockMhz" real,
             "ramUsedBytes" numeric, "ramTotalBytes" numeric, queued real, "cpuPercent" real,
             "diskUsedBytes" numeric, "diskTotalBytes" numeric, "receivedBytesPerSecond" real,
             "sentBytesPerSecond" real)
     where w.id = ${subject}
    on conflict do nothing`;
  await db`
    delete from worker_vitals where worker_id = ${subject} and at < now() - ${KEPT_HOURS} * interval '1 hour'`;
}

export async function listWorkerMinutes(db: Queryable, workerId: string): Promise<WorkerVitals[]> {
  return await db<WorkerVitals[]>`
    select at, gpu_percent, vram_used_bytes, vram_total_bytes, celsius, watts, fan_percent, clock_mhz,
           ram_used_bytes, ram_total_bytes, queued, cpu_percent, disk_used_bytes, disk_total_bytes,
           received_bytes_per_second, sent_bytes_per_second
      from worker_vitals
     where worker_id = ${workerId} and at > now() - ${KEPT_HOURS} * interval '1 hour' order by at`;
}

export async function listHostMinutes(db: Queryable, host: string): Promise<HostVitals[]> {
  return await db<HostVitals[]>`
    select at, cpu_percent, memory_used_bytes, memory_total_bytes, disk_used_bytes, disk_total_bytes,
           received_bytes_per_second, sent_bytes_per_second
      from host_vitals
     where host = ${host} and at > now() - ${KEPT_HOURS} * interval '1 hour' order by at`;
}
