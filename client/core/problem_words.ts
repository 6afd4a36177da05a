/**
 * What the studio refuses, in German: it speaks English to programs and people alike. Sentences that artists meet are
 * here word by word, `{}` being what the studio fills in and `{1}` the first of these; a test finds each in the
 * studio's code, so that none goes stale. What is not here stays as the studio said it.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  "There is no such {}, or it is not yours to see": "Das gibt es nicht, oder du darfst es nicht sehen",
  "Cannot do this without an account: sign in first": "Dafür brauchst du ein Konto: melde dich an",
  "Cannot do this: it needs the permission {}; ask an admin for it":
    "Das darfst du nicht: dafür braucht es das Recht {1}; bitte einen Admin darum",
  "Name and password do not match an account: check both and try again":
    "Name und Passwort passen zu keinem Konto: prüfe beides und versuche es noch einmal",
  "Too many failed tries: try again in {} seconds":
    "Zu viele Fehlversuche: versuche es in {1} Sekunden noch einmal",
  "The current password is not right": "Das jetzige Passwort stimmt nicht",
  "This password is too easy to guess": "Dieses Passwort ist zu leicht zu erraten",
  "This link was used or is too old: ask for a new one":
    "Dieser Link wurde schon benutzt oder ist zu alt: bitte um einen neuen",
  "Your account is suspended: ask an admin of this studio":
    "Dein Konto ist gesperrt: frage einen Admin dieses Studios",
  "Cannot save this: another one with the same {} is there already":
    "Das lässt sich nicht speichern: etwas mit gleichem {1} gibt es schon",
  'Cannot call the workspace "{}": you have one of that name':
    "Der Arbeitsplatz kann nicht „{1}“ heißen: so heißt schon einer von dir",
  "Someone else changed the same thing at the same moment: try again":
    "Jemand anderes hat dasselbe im selben Moment geändert: versuche es noch einmal",
  "The database is busy: try again in a moment": "Die Datenbank hat zu tun: versuche es gleich noch einmal",
  "The database can't be reached: try again in a moment":
    "Die Datenbank ist nicht erreichbar: versuche es gleich noch einmal",
  "The disk of the database is full: free some space, nothing was changed":
    "Die Platte der Datenbank ist voll: schaffe Platz; geändert wurde nichts",
  "Cannot answer: the studio has a fault; tell an admin the request id":
    "Keine Antwort: das Studio hat einen Fehler; nenne einem Admin die Anfrage-ID",
  "Cannot accept the body: it is larger than {} bytes":
    "Das ist zu groß: mehr als {1} Bytes nimmt das Studio nicht",
  "Cannot take the file: it is empty; choose one with content": "Die Datei ist leer: wähle eine mit Inhalt",
  "Cannot go on with the upload: it was left too long; begin a new one":
    "Das Hochladen lag zu lange: beginne es neu",
  "The asset belongs to another project: upload it to this one":
    "Die Datei gehört zu einem anderen Projekt: lade sie in dieses hoch",
  "The hero is used by {}: choose another hero for {} first":
    "Der Hero wird von {1} gebraucht: wähle dort zuerst einen anderen",
  "Only a hero can be approved: choose it as hero first":
    "Nur ein Hero kann freigegeben werden: wähle ihn zuerst als Hero",
  "Only a foundation can be a hero: derive one from this portrait first":
    "Nur ein Grundbild kann Hero sein: leite zuerst eines aus diesem Porträt ab",
  "A seed can only replace one of the same kind and character":
    "Ein Seed kann nur einen gleicher Art und gleicher Figur ersetzen",
  "The clip's hero is not approved: approve it first":
    "Der Hero des Clips ist nicht freigegeben: gib ihn zuerst frei",
  "The clip is final: undo the finalization before you change it":
    "Der Clip ist final: nimm das zurück, bevor du ihn änderst",
  "Cannot change the clip: it is final. Undo the finalization first":
    "Der Clip ist final: nimm das zurück, bevor du ihn änderst",
  "The clip is in the trash: restore it first": "Der Clip ist im Papierkorb: hole ihn zuerst zurück",
  "Cannot change the clip: it is in the trash. Restore it first":
    "Der Clip ist im Papierkorb: hole ihn zuerst zurück",
  "The clip is at work: wait for the running step, or pause the clip first":
    "Am Clip wird gearbeitet: warte auf den laufenden Schritt oder halte ihn an",
  "The clip has not been generated yet: generate it first":
    "Der Clip ist noch nicht erzeugt: erzeuge ihn zuerst",
  "The clip is not complete: generate its missing segments first":
    "Der Clip ist nicht vollständig: erzeuge zuerst die fehlenden Segmente",
  "The cut is final: undo the finalization before you reject it":
    "Der Schnitt ist final: nimm das zurück, bevor du ihn ablehnst",
  "Cut {} of this clip is final: undo that first":
    "Schnitt {1} dieses Clips ist final: nimm das zuerst zurück",
  "Segment {} is locked: unlock it, since it would be planned again":
    "Segment {1} ist gesperrt: entsperre es, denn es würde neu geplant",
  "Cannot add a clip: the scene is in the trash. Restore it first":
    "Die Szene ist im Papierkorb: hole sie zuerst zurück, dann nimmt sie Clips",
  "The scene has no clips: add one and finalize it first":
    "Die Szene hat keine Clips: füge einen hinzu und schließe ihn ab",
  "Cannot change this job: it is someone else's. Ask them or an admin":
    "Dieser Auftrag gehört jemand anderem: frage dort oder einen Admin",
  "Cannot cancel this batch: it is someone else's. Ask them or an admin":
    "Diese Varianten gehören jemand anderem: frage dort oder einen Admin",
  "Cannot move the job past someone else's: ask an admin":
    "An Aufträgen anderer vorbei geht es nicht: frage einen Admin",
  "Cannot move the job: both must be waiting in the same lane":
    "Der Auftrag lässt sich dorthin nicht verschieben: beide müssen in derselben Spur warten",
};

/** What is said of one field, after its name. */
const FIELDS: readonly (readonly [RegExp, string])[] = [
  [/^must not be empty$/i, "darf nicht leer sein"],
  [/^is missing: give .*$/s, "fehlt"],
  [/^must have at most (\d+) characters.*$/, "darf höchstens {1} Zeichen haben"],
  [/^must have at least (\d+) characters.*$/, "muss mindestens {1} Zeichen haben"],
  [/^must hold at most (\d+), not (\d+)$/, "darf höchstens {1} enthalten, nicht {2}"],
  [/^must hold at least (\d+), not (\d+)$/, "muss mindestens {1} enthalten, nicht {2}"],
  [/^must be at least (\S+), not (.+)$/s, "muss mindestens {1} sein, nicht {2}"],
  [/^must be at most (\S+), not (.+)$/s, "darf höchstens {1} sein, nicht {2}"],
  [/^must be more than (\S+), not (.+)$/s, "muss größer als {1} sein, nicht {2}"],
  [/^must be less than (\S+), not (.+)$/s, "muss kleiner als {1} sein, nicht {2}"],
  [/^must be a multiple of (\S+), not (.+)$/s, "muss ein Vielfaches von {1} sein, nicht {2}"],
  [/^must be a whole number, not (.+)$/s, "muss eine ganze Zahl sein, nicht {1}"],
  [/^must be a number, not (.+)$/s, "muss eine Zahl sein, nicht {1}"],
  [
    /^must not contain control characters or signs that turn the direction of the text around it$/,
    "darf keine Steuerzeichen enthalten und keine Zeichen, die die Schreibrichtung um ihn herum drehen",
  ],
  [/^must not contain spaces$/, "darf keine Leerzeichen enthalten"],
  [/^Must be another name$/, "muss ein anderer Name sein"],
  [
    /^choose a longer phrase that is no name and no common password$/,
    "wähle einen längeren Satz, der kein Name und kein übliches Passwort ist",
  ],
];

const WRONG_FIELD = /^Cannot accept the request: (\/\S+?):? (.+?)( \(and \d+ more, see fields\))?$/s;

/** The studio's refusal in German; as it is where there is no translation. */
export function germanProblem(sentence: string): string {
  const [, field, message] = WRONG_FIELD.exec(sentence) ?? [];
  if (field !== undefined && message !== undefined) {
    return `So nimmt das Studio es nicht: „${field.split("/").at(-1)}“ ${germanFault(message)}`;
  }
  for (const [english, german] of Object.entries(SENTENCES)) {
    const found = patternOf(english).exec(sentence);
    if (found) return fill(german, found);
  }
  return sentence;
}

/** What is wrong with a field, in German; as it is where there is no translation. */
export function germanFault(message: string): string {
  for (const [pattern, german] of FIELDS) {
    const found = pattern.exec(message);
    if (found) return fill(german, found);
  }
  return message;
}

/** For its test: the sentences as the studio has them. */
export function knownSentences(): readonly string[] {
  return Object.keys(SENTENCES);
}

const patterns = new Map<string, RegExp>();

function patternOf(english: string): RegExp {
  const known = patterns.get(english);
  if (known) return known;
  const parts = english.split("{}").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join("(.+?)")}$`, "s");
  patterns.set(english, pattern);
  return pattern;
}

function fill(german: string, found: RegExpExecArray): string {
  return german.replaceAll(/\{(\d)\}/g, (_, at: string) => found[Number(at)] ?? "");
}
