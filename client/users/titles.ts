import { defineWords } from "#client/core/words.ts";

/** Names of panels and places: the shell shows them before anything else of the slice is fetched. */
export const title = defineWords({
  en: {
    users: "Users",
    roles: "Roles",
    tokens: "API tokens",
    sessions: "Sessions",
    people: "People",
    account: "Account",
    peopleSettings: "users roles permissions invite suspend audit",
    accountSettings: "API tokens sessions password sign out everywhere",
  },
  de: {
    users: "Benutzer",
    roles: "Rollen",
    tokens: "API-Token",
    sessions: "Sitzungen",
    people: "Leute",
    account: "Konto",
    peopleSettings: "Benutzer Rollen Rechte einladen sperren Protokoll",
    accountSettings: "API-Token Sitzungen Passwort überall abmelden",
  },
});
