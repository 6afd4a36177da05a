/** What a one-time link is for: the first admin, one who is invited, or one who has lost the password. */
export interface OneTimeLink {
  readonly purpose: "setup" | "invite" | "reset";
  readonly token: string;
}

/** The link of "/setup#<token>", "/invite#<token>" or "/reset#<token>"; undefined at any other address. */
export function linkOf({ pathname, hash }: Pick<Location, "pathname" | "hash">): OneTimeLink | undefined {
  const purpose = pathname.slice(1);
  const token = hash.slice(1);
  const isLink = purpose === "setup" || purpose === "invite" || purpose === "reset";
  return isLink && token !== "" ? { purpose, token } : undefined;
}
