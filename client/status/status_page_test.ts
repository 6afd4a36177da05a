import { assertEquals } from "@std/assert/mod.js";
import { openBrowser } from "#server/testing/browser.ts";
import { clientStudio, signInAs } from "#server/testing/client_studio.ts";
import { givenJob, givenProject } from "#server/testing/fixtures.ts";

Deno.test("st-status-page retries a failed job, and offers the sample where nothing was made yet", async () => {
  await using world = await clientStudio();
  await using opened = await openBrowser();
  const { db } = world.studio;
  const ada = await world.person({ role: "admin" });
  const { page, said } = await opened.newPage();
  await page.goto(`${world.url}/status`);
  await signInAs(page, ada);
  await page.getByRole("button", { name: "Make the sample project" }).waitFor();

  const project = await givenProject(world.studio, { member: ada });
  const job = await givenJob(world.studio, { projectId: project.id, user: ada, status: "failed" });
  await page.reload();
  await page.getByText("It broke").waitFor();
  await page.getByRole("button", { name: "Retry the job" }).press("Enter");
  await page.getByText("The job is queued again").waitFor();
  const [row] = await db<{ status: string }[]>`
    select s.code as status from jobs j join job_status s on s.id = j.status_id where j.id = ${job.id}`;
  assertEquals(row?.status, "queued");
  assertEquals(said, []);
});
