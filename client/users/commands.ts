import { session } from "#client/auth/session_store.ts";
import type { Command } from "#client/core/commands.ts";
import { tell } from "#client/core/notices.ts";
import { go, select, selection } from "#client/core/place.ts";
import { RoleCode } from "#server/core/permissions.ts";
import type { User } from "#server/users/contract.ts";
import { account } from "./account_store.ts";
import { noteUser } from "./changes.ts";
import {
  askedAgain,
  asProblem,
  inviteForm,
  passwordForm,
  shownLink,
  shownSecret,
  tokenForm,
} from "./forms.ts";
import { people } from "./people_store.ts";
import { w } from "./words.ts";

const ofPeople = () => w("people");
const ofAccount = () => w("account");

function userOf(target: unknown): User | undefined {
  const id = typeof target === "string" ? target : selection("user")?.ids.at(-1);
  return id === undefined ? undefined : people.find(id);
}

const isMe = (user: User) => user.id === session.me?.userId;

function roleCommand(role: RoleCode): Command {
  return {
    id: `people.make_${role}`,
    label: (target) => w("setRole", { name: userOf(target)?.displayName ?? "…", role: w(role) }),
    group: ofPeople,
    icon: "shield",
    permission: "user.admin",
    when: (target) => {
      const user = userOf(target);
      return user !== undefined && user.role !== role && !isMe(user);
    },
    whyNot: (target) => {
      const user = userOf(target);
      return !user
        ? w("noneSelected")
        : isMe(user)
        ? w("isYou")
        : w("roleSet", { name: user.displayName, role: w(role) });
    },
    run: async (target) => {
      const user = userOf(target);
      if (!user) return;
      const text = w("roleSet", { name: user.displayName, role: w(role) });
      const undo = noteUser(text, { userId: user.id, before: { role: user.role }, after: { role } });
      await undo.settle(people.change(user.id, { role }));
      tell({ kind: "done", text, undo });
    },
  };
}

/** What an admin does with people. */
export const peopleCommands: readonly Command[] = [
  {
    id: "people.invite",
    label: () => w("invite"),
    group: ofPeople,
    icon: "userPlus",
    permission: "user.admin",
    run: () => {
      shownLink.set(undefined);
      go({ screen: "people" });
      inviteForm.open();
    },
  },
  {
    id: "people.invite_now",
    label: () => w("inviteNow"),
    group: ofPeople,
    icon: "link",
    permission: "user.admin",
    when: () => (inviteForm.now?.login.trim() ?? "") !== "",
    whyNot: () => w("loginFirst"),
    run: async () => {
      const form = inviteForm.now;
      if (!form) return;
      try {
        const { user, link } = await people.invite({
          login: form.login,
          role: form.role,
          ...(form.displayName.trim() ? { displayName: form.displayName } : {}),
        });
        inviteForm.close();
        select("user", [user.id]);
        shownLink.set({ name: user.displayName, link });
      } catch (error) {
        inviteForm.type({ problem: asProblem(error) });
      }
    },
  },
  {
    id: "people.close",
    label: () => w("close"),
    group: ofPeople,
    icon: "close",
    permission: "user.admin",
    when: () => inviteForm.now !== undefined || shownLink.get() !== undefined,
    run: () => {
      inviteForm.close();
      shownLink.set(undefined);
    },
  },
  {
    id: "people.new_link",
    label: (target) => w(userOf(target)?.status === "active" ? "resetPassword" : "newLinkInvited"),
    group: ofPeople,
    icon: "link",
    permission: "user.admin",
    when: (target) => {
      const user = userOf(target);
      return user !== undefined && user.status !== "disabled";
    },
    whyNot: (target) => w(userOf(target) ? "isSuspended" : "noneSelected"),
    run: async (target) => {
      const user = userOf(target);
      if (user) shownLink.set({ name: user.displayName, link: await people.makeLink(user.id) });
    },
  },
  {
    id: "people.suspend",
    label: () => w("suspend"),
    group: ofPeople,
    icon: "ban",
    permission: "user.admin",
    isDanger: true,
    when: (target) => {
      const user = userOf(target);
      return user !== undefined && user.status !== "disabled" && !isMe(user);
    },
    whyNot: (target) => {
      const user = userOf(target);
      return w(!user ? "noneSelected" : isMe(user) ? "isYou" : "isSuspended");
    },
    run: async (target) => {
      const user = userOf(target);
      if (!user) return;
      await people.change(user.id, { status: "disabled" });
      const text = w("suspendedNow", { name: user.displayName });
      // One who was never in becomes active by a link only.
      if (user.status !== "active") return void tell({ kind: "done", text });
      const [before, after] = [{ status: "active" }, { status: "disabled" }] as const;
      tell({ kind: "done", text, undo: noteUser(text, { userId: user.id, before, after }) });
    },
  },
  {
    id: "people.enable",
    label: () => w("enable"),
    group: ofPeople,
    icon: "unlock",
    permission: "user.admin",
    when: (target) => userOf(target)?.status === "disabled",
    whyNot: (target) => w(userOf(target) ? "isActive" : "noneSelected"),
    run: async (target) => {
      const user = userOf(target);
      if (!user) return;
      await people.change(user.id, { status: "active" });
      const text = w("enabledNow", { name: user.displayName });
      const [before, after] = [{ status: "disabled" }, { status: "active" }] as const;
      tell({ kind: "done", text, undo: noteUser(text, { userId: user.id, before, after }) });
    },
  },
  ...RoleCode.options.map(roleCommand),
  {
    id: "people.read_again",
    label: () => w("tryAgain"),
    group: ofPeople,
    icon: "refresh",
    permission: "user.read",
    run: () => people.read(),
  },
];

/** What everyone does with their own account. */
export const accountCommands: readonly Command[] = [
  {
    id: "account.new_token",
    label: () => w("tokenNew"),
    group: ofAccount,
    icon: "key",
    permission: "token.own",
    run: () => {
      shownSecret.set(undefined);
      go({ screen: "account" });
      tokenForm.open();
    },
  },
  {
    id: "account.make_token",
    label: () => w("tokenMake"),
    group: ofAccount,
    icon: "check",
    permission: "token.own",
    when: () => (tokenForm.now?.name.trim() ?? "") !== "" && (tokenForm.now?.scopes.length ?? 0) > 0,
    whyNot: () => w("tokenNameFirst"),
    run: async () => {
      const form = tokenForm.now;
      if (!form) return;
      try {
        const { token, secret } = await account.makeToken({
          name: form.name,
          scopes: [...form.scopes],
          ...(form.days > 0 ? { expiresInDays: form.days } : {}),
        });
        tokenForm.close();
        shownSecret.set({ name: token.name, text: secret });
      } catch (error) {
        tokenForm.type({ problem: asProblem(error) });
      }
    },
  },
  {
    id: "account.close",
    label: () => w(shownSecret.get() ? "secretKept" : "close"),
    group: ofAccount,
    icon: "close",
    permission: null,
    when: () => Boolean(tokenForm.now ?? shownSecret.get() ?? askedAgain.get() ?? passwordForm.now),
    run: () => {
      tokenForm.close();
      passwordForm.close();
      shownSecret.set(undefined);
      askedAgain.set(undefined);
    },
  },
  {
    id: "account.revoke_token",
    isForGood: true,
    label: (target) => w(typeof target === "string" && askedAgain.get() === target ? "revokeSure" : "revoke"),
    group: ofAccount,
    icon: "trash",
    permission: "token.own",
    isDanger: true,
    when: (target) => typeof target === "string",
    whyNot: () => w("tokensEmpty"),
    // A token can't be given back, so one is asked first.
    run: async (target) => {
      const token = account.facts.tokens?.find(({ id }) => id === target);
      if (!token) return;
      if (askedAgain.get() !== token.id) return askedAgain.set(token.id);
      askedAgain.set(undefined);
      await account.revoke(token.id);
      tell({ kind: "done", text: w("revokedNow", { name: token.name }) });
    },
  },
  {
    id: "account.end_session",
    isForGood: true,
    label: () => w("endSession"),
    group: ofAccount,
    icon: "signOut",
    permission: null,
    when: (target) => typeof target === "string",
    run: async (target) => {
      const found = account.facts.sessions?.find(({ id }) => id === target);
      if (!found) return;
      await account.endSession(found.id);
      tell({ kind: "done", text: w("endedSession") });
    },
  },
  {
    id: "account.sign_out_everywhere",
    isForGood: true,
    label: () => w(askedAgain.get() === "everywhere" ? "everywhereSure" : "everywhere"),
    group: ofAccount,
    icon: "signOut",
    permission: null,
    isDanger: true,
    run: async () => {
      if (askedAgain.get() !== "everywhere") {
        go({ screen: "account" });
        return askedAgain.set("everywhere");
      }
      askedAgain.set(undefined);
      await account.signOutEverywhere();
    },
  },
  {
    id: "account.change_password",
    isSetting: true,
    label: () => w("changePassword"),
    group: ofAccount,
    icon: "lock",
    permission: null,
    run: () => {
      go({ screen: "account" });
      passwordForm.open();
    },
  },
  {
    id: "account.save_password",
    label: () => w("passwordSave"),
    group: ofAccount,
    icon: "check",
    permission: null,
    when: () => Boolean(passwordForm.now?.current && passwordForm.now.next),
    whyNot: () => w("passwordFirst"),
    run: async () => {
      const form = passwordForm.now;
      if (!form) return;
      try {
        await account.changePassword(form.current, form.next);
        passwordForm.close();
        tell({ kind: "done", text: w("passwordChanged") });
      } catch (error) {
        passwordForm.type({ problem: asProblem(error) });
      }
    },
  },
  {
    id: "account.read_again",
    label: () => w("tryAgain"),
    group: ofAccount,
    icon: "refresh",
    permission: null,
    run: () => account.read(),
  },
];
