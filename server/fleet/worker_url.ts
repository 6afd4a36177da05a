import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AppError } from "#server/core/errors.ts";
import { deadline } from "#server/core/time.ts";

/**
 * The address of a worker in one spelling, without a slash at the end. Loopback and private networks are where
 * workers live, so they are allowed; what could reach a cloud's metadata, a multicast group or "any" is refused,
 * by name and by what the name resolves to. Throws AppError("invalid").
 */
export async function checkWorkerUrl(
  text: string,
  resolve: (host: string) => Promise<readonly string[]> = resolveHost,
): Promise<string> {
  const url = readUrl(text);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await resolve(host);
  if (addresses.length === 0) throw refuse(`the name "${host}" is not known on this network`);
  const bad = addresses.map(whyForbidden).find((reason) => reason !== undefined);
  if (bad) throw refuse(bad);
  return url.href.replace(/\/+$/, "");
}

function readUrl(text: string): URL {
  const url = URL.parse(text.trim());
  if (!url) throw refuse('write it like "http://192.168.1.20:8188"');
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse("it must begin with http:// or https://");
  }
  if (url.username || url.password) throw refuse("it must not hold a user name or password");
  if (url.search || url.hash) throw refuse("it must not have a query or a fragment");
  if (/(^|\.)metadata(\.|$)/i.test(url.hostname)) throw refuse("cloud metadata services are no workers");
  return url;
}

async function resolveHost(host: string): Promise<string[]> {
  try {
    const found = await deadline(
      lookup(host, { all: true }),
      5_000,
      () => new Error("Nothing answered in 5 s"),
    );
    return found.map(({ address }) => address);
  } catch {
    return [];
  }
}

/** Why nothing may be sent to this IP address; undefined when it may. */
export function whyForbidden(address: string): string | undefined {
  const v4 = readV4(address);
  if (v4) {
    const [a, b] = v4;
    if (a === 0) return `${address} means "any address", not a machine`;
    if (a === 169 && b === 254) return `${address} is link-local, where cloud metadata services live`;
    if (a >= 224) return `${address} is multicast or broadcast`;
    return undefined;
  }
  const words = expandV6(address);
  if (!words) return `"${address}" is no address`;
  if (words.every((word) => word === 0)) return `${address} means "any address", not a machine`;
  const [first = 0] = words;
  if ((first & 0xffc0) === 0xfe80) return `${address} is link-local`;
  if ((first & 0xff00) === 0xff00) return `${address} is multicast`;
  if (first === 0xfd00 && words[1] === 0xec2) return `${address} is a cloud metadata service`;
  return undefined;
}

/** Also the IPv4 inside an IPv6 address: mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96). */
function readV4(address: string): [number, number, number, number] | undefined {
  if (isIP(address) === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    return [a, b, c, d];
  }
  const words = expandV6(address);
  if (!words) return undefined;
  const head = words.slice(0, 6).join(",");
  if (head !== "0,0,0,0,0,65535" && head !== `${0x64},${0xff9b},0,0,0,0`) return undefined;
  const [high = 0, low = 0] = words.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255];
}

function expandV6(address: string): number[] | undefined {
  if (isIP(address) !== 6) return undefined;
  const plain = address.replace(/%.*$/, "").replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) =>
      `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`,
  );
  const [head = "", tail] = plain.split("::");
  const words = (part: string) => part ? part.split(":").map((word) => parseInt(word, 16)) : [];
  const left = words(head);
  const right = words(tail ?? "");
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function refuse(reason: string): AppError {
  return new AppError("invalid", `Cannot use this address: ${reason}`, {
    fields: [{ field: "/body/url", message: reason }],
  });
}
