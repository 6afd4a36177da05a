import "reflect-metadata";
import { X509Certificate } from "@peculiar/x509";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert/mod.js";
import { join } from "@std/path/mod.js";
import { createApp } from "./create_app.ts";
import { machineNames, openTlsIdentity } from "./tls.ts";
import { fingerprint, redirectToHttps, serveTrust } from "./trust.ts";

const DAY_MS = 86_400_000;

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tls" });
  try {
    await run(join(folder, "tls"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openTlsIdentity serves every name of this machine to who trusts the authority, and to nobody else", async () => {
  await withFolder(async (folder) => {
    const identity = await openTlsIdentity({ folder });
    const app = createApp();
    app.get("/hello", (context) => context.text("hello"));
    await using server = Deno.serve(
      { port: 0, hostname: "0.0.0.0", cert: identity.cert, key: identity.key, onListen: () => {} },
      app.fetch,
    );
    using trusting = Deno.createHttpClient({ caCerts: [identity.authority.toString("pem")] });
    for (const name of ["localhost", "127.0.0.1"]) {
      assert(identity.names.includes(name));
      // Deno's own option: the DOM's RequestInit does not know it.
      const init: RequestInit & { client: Deno.HttpClient } = { client: trusting };
      const response = await fetch(`https://${name}:${server.addr.port}/hello`, init);
      assertEquals(await response.text(), "hello");
      assertEquals(response.headers.has("strict-transport-security"), name !== "localhost");
    }
    await assertRejects(() => fetch(`https://localhost:${server.addr.port}/hello`), TypeError);
  });
});

Deno.test("openTlsIdentity keeps what it made, for its owner's eyes only", async () => {
  await withFolder(async (folder) => {
    const first = await openTlsIdentity({ folder });
    if (Deno.build.os !== "windows") {
      await Deno.chmod(join(folder, "authority.key"), 0o644);
      const again = await openTlsIdentity({ folder });
      assertEquals([again.cert, again.key], [first.cert, first.key]);
      for (const name of ["authority.key", "server.key"]) {
        assertEquals(((await Deno.stat(join(folder, name))).mode ?? 0) & 0o777, 0o600);
      }
    }
    for (const name of machineNames()) assert(first.names.includes(name), name);
  });
});

Deno.test("openTlsIdentity renews the server's certificate in time, the authority's hardly ever", async () => {
  await withFolder(async (folder) => {
    const now = new Date("2026-01-01T00:00:00Z");
    const at = (days: number, names = ["localhost", "192.0.2.7"]) =>
      openTlsIdentity({ folder, names, now: new Date(now.getTime() + days * DAY_MS) });
    const first = await at(0);
    const leaf = new X509Certificate(first.cert.slice(0, first.cert.indexOf("-----END") + 25));
    assert((leaf.notAfter.getTime() - leaf.notBefore.getTime()) / DAY_MS <= 397);
    assertEquals((await at(300)).cert, first.cert);
    assertEquals((await at(300, ["localhost"])).cert, first.cert, "a name that went away is no reason");
    const v6 = (name: string) => openTlsIdentity({ folder: `${folder}6`, names: [name], now });
    assertEquals((await v6("2001:db8::0:0:1:1")).cert, (await v6("2001:0db8:0::1:1")).cert);
    const renamed = await at(300, ["localhost", "192.0.2.8"]);
    assertNotEquals(renamed.key, first.key);
    assertEquals(renamed.names, ["localhost", "192.0.2.8"]);
    const late = await at(300 + 370, ["localhost", "192.0.2.8"]);
    assertNotEquals(late.cert, renamed.cert);
    assertEquals(late.authority.toString("pem"), first.authority.toString("pem"));
    assertNotEquals((await at(3640)).authority.toString("pem"), first.authority.toString("pem"));
  });
});

Deno.test("openTlsIdentity makes anew what a crash tore apart, and says so of what it can't read", async () => {
  await withFolder(async (folder) => {
    const first = await openTlsIdentity({ folder });
    await Deno.copyFile(join(folder, "authority.key"), join(folder, "server.key"));
    const second = await openTlsIdentity({ folder });
    assertNotEquals(second.cert, first.cert);
    assertEquals(second.authority.toString("pem"), first.authority.toString("pem"));
    await Deno.remove(join(folder, "server.crt"));
    assertNotEquals((await openTlsIdentity({ folder })).cert, second.cert);
    await Deno.writeTextFile(join(folder, "authority.crt"), "nonsense");
    await assertRejects(() => openTlsIdentity({ folder }), Error, "remove them");
  });
});

Deno.test("serveTrust() offers the certificate in each system's form and says how to install it", async () => {
  await withFolder(async (folder) => {
    const identity = await openTlsIdentity({ folder });
    const app = createApp();
    serveTrust(app, identity);
    redirectToHttps(app, 8443);
    const page = await (await app.request("http://studio.lan:8080/trust")).text();
    for (
      const text of [
        "Windows",
        "macOS",
        "Linux",
        "iPhone",
        "Android",
        "Firefox",
        await fingerprint(identity.authority),
      ]
    ) {
      assertStringIncludes(page, text);
    }
    assert(!page.includes("<script"));
    for (const [, link] of page.matchAll(/href="([^"]+)"/g)) {
      assertEquals((await app.request(link ?? "")).status, 200, link);
    }
    const der = await (await app.request("/trust/seedloop-authority.crt")).arrayBuffer();
    assertEquals(new X509Certificate(der).serialNumber, identity.authority.serialNumber);
    const profile = await (await app.request("/trust/seedloop-authority.mobileconfig")).text();
    assertStringIncludes(profile, new Uint8Array(identity.authority.rawData).toBase64());
    const away = await app.request("http://studio.lan:8080/projects/1?x=2");
    assertEquals([away.status, away.headers.get("location")], [
      307,
      "https://studio.lan:8443/projects/1?x=2",
    ]);
    assertEquals((await app.request("http://studio.lan:8080/api/sign-in", { method: "POST" })).status, 403);
  });
});
