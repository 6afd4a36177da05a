// Before x509: its container looks for Reflect.getMetadata as it loads.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { join } from "@std/path/mod.js";
import { writeDurably } from "#server/files/durable.ts";

/** What an HTTPS listener and the trust page need. */
export interface TlsIdentity {
  /** The server's certificate followed by the authority's, PEM. */
  readonly cert: string;
  /** The server's private key, PKCS #8 PEM. */
  readonly key: string;
  /** The certificate that people install. */
  readonly authority: X509Certificate;
  /** Names and addresses that the server's certificate is good for. */
  readonly names: readonly string[];
  readonly expiresAt: Date;
}

export interface TlsOptions {
  /** Where keys and certificates lie, readable by the studio's user only: `data/tls`. */
  readonly folder: string;
  /** Names and addresses to certify; those of this machine by default. */
  readonly names?: readonly string[];
  readonly now?: Date;
}

interface Pair {
  readonly certificate: X509Certificate;
  readonly keys: CryptoKeyPair;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** Browsers refuse server certificates that live longer than 398 days. */
const SERVER_DAYS = 397;
const RENEW_BEFORE_DAYS = 30;

/**
 * The studio's own certificate authority and its server's certificate, made when missing. The server's is made
 * anew when fewer than 30 days are left or the machine has a name or address that it lacks; the authority's only
 * at the end of its ten years, since people have installed it.
 */
export async function openTlsIdentity(options: TlsOptions): Promise<TlsIdentity> {
  const { folder, names = machineNames(), now = new Date() } = options;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await loadPair(folder, "authority", now) ?? await makeAuthority(folder, now);
  const known = await loadPair(folder, "server", now);
  const isGood = known !== undefined && await isFrom(known, authority) && covers(known.certificate, names);
  const server = isGood ? known : await makeServer(folder, authority, names, now);
  return {
    cert: `${server.certificate.toString("pem")}\n${authority.certificate.toString("pem")}\n`,
    key: await keyToPem(server.keys.privateKey),
    authority: authority.certificate,
    names: certifiedNames(server.certificate),
    expiresAt: server.certificate.notAfter,
  };
}

/** Every name and address under which other machines may know this one, and loopback. */
export function machineNames(): string[] {
  const host = Deno.hostname().toLowerCase();
  const names = isHostName(host) ? [host, ...(host.includes(".") ? [] : [`${host}.local`])] : [];
  const addresses = Deno.networkInterfaces().map((face) => face.address.toLowerCase());
  // Link-local IPv6 addresses need a zone to be reached, which no certificate can name.
  const reachable = addresses.filter((address) => !address.startsWith("fe80:"));
  return [...new Set(["localhost", ...names, "127.0.0.1", "::1", ...reachable])];
}

async function makeAuthority(folder: string, now: Date): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Seedloop on ${plainName(Deno.hostname())}, O=Seedloop`,
    // A client whose clock is behind would refuse what begins now.
    notBefore: daysAfter(now, -1),
    notAfter: daysAfter(now, AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await savePair(folder, "authority", { certificate, keys });
}

async function makeServer(
  folder: string,
  authority: Pair,
  names: readonly string[],
  now: Date,
): Promise<Pair> {
  const keys = await newKeys();
  const end = Math.min(daysAfter(now, SERVER_DAYS - 1).getTime(), authority.certificate.notAfter.getTime());
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${plainName(names.find((name) => name !== "localhost") ?? "localhost")}`,
    issuer: authority.certificate.subject,
    notBefore: daysAfter(now, -1),
    notAfter: new Date(end),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isAddress(name) ? "ip" as const : "dns" as const, value: name })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  return await savePair(folder, "server", { certificate, keys });
}

/** The pair as it lies on disk, or undefined where it is missing, torn, or about to expire. */
async function loadPair(folder: string, name: string, now: Date): Promise<Pair | undefined> {
  const keyPath = join(folder, `${name}.key`);
  let keyText: string;
  let certificate: X509Certificate;
  try {
    keyText = await Deno.readTextFile(keyPath);
    certificate = new X509Certificate(await Deno.readTextFile(join(folder, `${name}.crt`)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`Cannot read the TLS files in ${folder}: remove them, and new ones are made`, {
      cause: error,
    });
  }
  if (Deno.build.os !== "windows") await Deno.chmod(keyPath, 0o600);
  if (certificate.notAfter < daysAfter(now, RENEW_BEFORE_DAYS)) {
    return undefined;
  }
  const keys = await keysFromPem(keyText, certificate);
  // A crash between the two files leaves a key and a certificate of different makes.
  return await belongTogether(keys) ? { certificate, keys } : undefined;
}

/** Key first: a certificate without its key would be useless, a key without its certificate is made anew. */
async function savePair(folder: string, name: string, pair: Pair): Promise<Pair> {
  const write = (suffix: string, text: string, mode: number) =>
    writeDurably(new TextEncoder().encode(text), { place: join(folder, `${name}.${suffix}`), mode });
  await write("key", await keyToPem(pair.keys.privateKey), 0o600);
  await write("crt", `${pair.certificate.toString("pem")}\n`, 0o644);
  return pair;
}

async function isFrom(pair: Pair, authority: Pair): Promise<boolean> {
  return pair.certificate.issuer === authority.certificate.subject &&
    await pair.certificate.verify({ publicKey: authority.keys.publicKey, signatureOnly: true });
}

function covers(certificate: X509Certificate, names: readonly string[]): boolean {
  const certified = new Set(certifiedNames(certificate).map(canonical));
  return names.every((name) => certified.has(canonical(name)));
}

function certifiedNames(certificate: X509Certificate): string[] {
  const extension = certificate.getExtension(SubjectAlternativeNameExtension);
  return extension?.names.items.map((name) => name.value) ?? [];
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function keyToPem(key: CryptoKey): Promise<string> {
  const base64 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key)).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${
    base64.replaceAll(/.{64}/g, "$&\n").trimEnd()
  }\n-----END PRIVATE KEY-----\n`;
}

async function keysFromPem(pem: string, certificate: X509Certificate): Promise<CryptoKeyPair> {
  const der = Uint8Array.fromBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
  const privateKey = await crypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
  return { privateKey, publicKey: await certificate.publicKey.export(ALGORITHM, ["verify"]) };
}

async function belongTogether(keys: CryptoKeyPair): Promise<boolean> {
  const probe = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(ALGORITHM, keys.privateKey, probe);
  return await crypto.subtle.verify(ALGORITHM, keys.publicKey, signature, probe);
}

/** Positive and below 2^127, as RFC 5280 wants serial numbers. */
function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toHex();
}

function daysAfter(date: Date, days: number): Date {
  return new Date(date.getTime() + days * DAY_MS);
}

/** One spelling for each IPv6 address, which have many. */
function canonical(name: string): string {
  return name.includes(":") ? new URL(`http://[${name}]/`).hostname : name.toLowerCase();
}

function isAddress(name: string): boolean {
  return name.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

function isHostName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name) &&
    name !== "localhost";
}

/** Without the characters that separate the parts of a distinguished name. */
function plainName(text: string): string {
  return text.replaceAll(/[^\w.:-]/g, "-").slice(0, 48);
}
