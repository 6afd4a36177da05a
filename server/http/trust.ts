import type { X509Certificate } from "@peculiar/x509";
import { AppError } from "#server/core/errors.ts";
import { escapeHtml, htmlPage } from "./html_page.ts";
import type { App, HttpContext } from "./http_env.ts";
import type { TlsIdentity } from "./tls.ts";

const FILE_NAME = "seedloop-authority";

/**
 * Adds `/trust`: how to make a machine believe this studio's certificate, with the certificate in the forms that
 * the systems want. For plain HTTP and HTTPS alike: whoever needs it can't use HTTPS without a warning yet.
 */
export function serveTrust(app: App, identity: Pick<TlsIdentity, "authority">): void {
  const { authority } = identity;
  const der = new Uint8Array(authority.rawData);
  const download = (path: string, type: string, name: string, body: string | Uint8Array<ArrayBuffer>) =>
    app.get(path, () =>
      new Response(body, {
        headers: {
          "content-type": type,
          "content-disposition": `attachment; filename="${name}"`,
          "cache-control": "no-cache",
        },
      }));
  app.get("/trust", async (context) => htmlPage("Trust this studio", await trustBody(authority, context)));
  download(`/trust/${FILE_NAME}.crt`, "application/x-x509-ca-cert", `${FILE_NAME}.crt`, der);
  download(
    `/trust/${FILE_NAME}.pem`,
    "application/x-pem-file",
    `${FILE_NAME}.pem`,
    `${authority.toString("pem")}\n`,
  );
  app.get(`/trust/${FILE_NAME}.mobileconfig`, async () =>
    new Response(await mobileConfig(authority), {
      headers: {
        "content-type": "application/x-apple-aspen-config",
        "content-disposition": `attachment; filename="${FILE_NAME}.mobileconfig"`,
        "cache-control": "no-cache",
      },
    }));
}

/**
 * Sends every page that is asked for over plain HTTP to the HTTPS port. Bind it after serveTrust, on the app of
 * the plain port only; anything but reading is refused, since what it carried was already seen by the network.
 */
export function redirectToHttps(app: App, httpsPort: number): void {
  app.all("/*", (context) => {
    const url = new URL(context.req.url);
    if (context.req.method !== "GET" && context.req.method !== "HEAD") {
      throw new AppError(
        "forbidden",
        `Cannot take this over plain HTTP: use https://${url.hostname}:${httpsPort}`,
      );
    }
    url.protocol = "https:";
    url.port = String(httpsPort);
    return context.redirect(url.href, 307);
  });
}

/** SHA-256 of the certificate as people compare it: "AB:CD:…". The terminal prints the same at the start. */
export async function fingerprint(certificate: X509Certificate): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(certificate.rawData)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}

async function trustBody(authority: X509Certificate, context: HttpContext): Promise<string> {
  const { hostname } = new URL(context.req.url);
  return `<h1>Trust this studio</h1>
<p>Browsers give a page its microphone, its clipboard and fast video only over HTTPS. This studio made its own
certificate authority for that; it never leaves this network. Install it once on each machine that works here.
It is good until ${authority.notAfter.toISOString().slice(0, 10)}.</p>
<p><a class="button" href="/trust/${FILE_NAME}.crt">Certificate (.crt)</a>
<a class="button" href="/trust/${FILE_NAME}.pem">Certificate (.pem)</a>
<a class="button" href="/trust/${FILE_NAME}.mobileconfig">iPhone, iPad, Mac (.mobileconfig)</a></p>
<p>Before you install it, compare this SHA-256 fingerprint with the one that the studio printed in its terminal:</p>
<pre>${await fingerprint(authority)}</pre>
${
    SYSTEMS.map(([name, steps]) =>
      `<h2>${name}</h2>\n<ol>${steps.map((step) => `<li>${step}</li>`).join("\n")}</ol>`
    ).join("\n")
  }
<h2>Afterwards</h2>
<p>Close the browser, open it again and go to <code>https://${
    escapeHtml(hostname)
  }</code> with the port that the
studio printed. To take the trust back, delete the authority “${
    escapeHtml(commonName(authority))
  }” in the same place.</p>`;
}

const SYSTEMS: readonly (readonly [string, readonly string[]])[] = [
  ["Windows (Edge, Chrome)", [
    "Download the <b>.crt</b> file and open it; choose <b>Install Certificate…</b>",
    "Choose <b>Local Machine</b> (or <b>Current User</b> without admin rights), then <b>Next</b>",
    "Choose <b>Place all certificates in the following store</b>, then <b>Browse…</b> and " +
    "<b>Trusted Root Certification Authorities</b>; finish and agree",
  ]],
  ["macOS (Safari, Chrome)", [
    "Download the <b>.crt</b> file and open it; Keychain Access adds it to <b>login</b> or <b>System</b>",
    "Find “Seedloop on …” there, open it, unfold <b>Trust</b>, and set <b>When using this certificate</b> to " +
    "<b>Always Trust</b>",
  ]],
  ["Linux (Chrome, and command-line programs)", [
    "Debian, Ubuntu: <code>sudo cp seedloop-authority.pem /usr/local/share/ca-certificates/seedloop.crt &amp;&amp; " +
    "sudo update-ca-certificates</code>",
    "Fedora, Arch: <code>sudo trust anchor seedloop-authority.pem</code>",
    "Chrome keeps a list of its own: <b>Settings → Privacy and security → Security → Manage certificates → " +
    "Custom → Trusted certificates → Import</b>, with the .pem file",
  ]],
  ["iPhone and iPad", [
    "Open this page in Safari and download the <b>.mobileconfig</b> file; allow it",
    "<b>Settings → General → VPN &amp; Device Management</b>: open the downloaded profile and install it",
    "<b>Settings → General → About → Certificate Trust Settings</b>: switch “Seedloop on …” on",
  ]],
  ["Android", [
    "Download the <b>.crt</b> file",
    "<b>Settings → Security → More security settings → Encryption &amp; credentials → Install a certificate → " +
    "CA certificate</b>; choose the file (the words differ between makers: search the settings for “CA certificate”)",
  ]],
  ["Firefox, on any system", [
    "<b>Settings → Privacy &amp; Security → Certificates → View Certificates… → Authorities → Import…</b>, with the " +
    ".pem file; tick <b>Trust this CA to identify websites</b>",
    "On Windows and macOS, Firefox also takes what the system trusts, when that was installed before it started",
  ]],
];

function commonName(certificate: X509Certificate): string {
  return /CN=([^,]+)/.exec(certificate.subject)?.[1] ?? certificate.subject;
}

/** Apple's configuration profile with the certificate in it. Its ids follow from the certificate, so installing twice replaces. */
async function mobileConfig(authority: X509Certificate): Promise<string> {
  const hash = (await fingerprint(authority)).replaceAll(":", "");
  const uuid = (at: number) =>
    hash.slice(at, at + 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const name = escapeHtml(commonName(authority));
  const payload = (type: string, id: string, more: string) =>
    `<key>PayloadType</key><string>${type}</string>
<key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>seedloop.authority.${id}</string>
<key>PayloadUUID</key><string>${id}</string>
<key>PayloadDisplayName</key><string>${name}</string>
${more}`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${
    payload(
      "Configuration",
      uuid(0),
      `<key>PayloadContent</key>
<array><dict>
${
        payload(
          "com.apple.security.root",
          uuid(32),
          `<key>PayloadCertificateFileName</key><string>${FILE_NAME}.crt</string>
<key>PayloadContent</key><data>${new Uint8Array(authority.rawData).toBase64()}</data>`,
        )
      }
</dict></array>`,
    )
  }
</dict>
</plist>
`;
}
