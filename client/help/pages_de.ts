import { act, actions, at, code, h, keys, lines, list, p, type Pages, see, steps, t } from "./document.ts";

/** The manual in German: page for page the same as in English. */
export const PAGES_DE: Pages = {
  start: [
    p`Seedloop macht aus Standbildern Video von einer Person. Du gibst ein Porträt, wählst das ganze Bild, von dem der Film ausgeht, und bestellst einen Clip von so und so vielen Bildern. Das Studio erzeugt ihn Stück für Stück, misst, was dabei herauskam, und legt dir einen Schnitt zur Entscheidung vor.`,
    h`Vom Porträt zum finalen Clip`,
    steps(
      t`Lege ein Projekt an. Seine Bildrate lässt sich später nicht mehr ändern.`,
      t`Lass ein Porträt irgendwo im Fenster fallen oder füge es ein, und sage, wessen es ist.`,
      t`Mache daraus Grundbilder und wähle den Hero: ${see("seeds")}.`,
      t`${keys("clips.begin")} beim Hero beginnt einen Clip; sage, wie lang er wird.`,
      t`Sieh dir den Plan an und lass dann erzeugen: ${see("plan")}.`,
      t`Wo eine Prüfung fragt, entscheide; was dir nicht gefällt, lass neu machen: ${see("takes")}.`,
      t`${keys("clips.finalize")}, sobald der Schnitt ist, wie du ihn willst: ${see("finish")}.`,
    ),
    actions("first_run.sample", "projects.create", "go.characters"),
    h`Ohne Grafikkarte`,
    p`Bis ein Admin einen ComfyUI-Server hinzufügt, arbeitet die CPU-Engine. Sie bewegt eine Kamera über dein Bild, mit Parallaxe, Licht und Korn, und braucht kein Modell. An allem, was sie macht, steht „CPU-Vorschau“. Wie du zu echten Bildern kommst: ${
      see("workers")
    }.`,
    h`Wenn du nicht weiterkommst`,
    list(
      t`Ein Knopf, der gerade nicht geht, sagt warum, sobald du auf ihn zeigst oder ihn mit der Tastatur erreichst.`,
      t`Ein Auftrag, der wartet, sagt worauf: ${see("queue")}.`,
      t`${act("app.palette")}: findet jeden Befehl, jedes Ding im Studio und diese Seiten.`,
      t`${
        act("help.open")
      }: öffnet die Seite über das, woran du gerade bist. Zeige das Handbuch in irgendeinem Bereich, um neben der Arbeit zu lesen.`,
    ),
  ],
  seeds: [
    p`Ein Seed ist ein Standbild. Seed A ist das Porträt: ein Gesicht, so frontal und scharf wie möglich. Seed B ist ein Grundbild: das ganze Bild, von dem das Video ausgeht. Das Grundbild, das du aussuchst, ist der Hero.`,
    h`Drei Wege zum Paar`,
    list(
      t`${act("seeds.direction_forward")}: ${keys("seeds.derive_forward")} macht eines.`,
      t`${act("seeds.direction_backward")}: ${keys("seeds.derive_backward")} macht eines.`,
      t`${act("seeds.direction_by_hand")}: gib beide, mit ${keys("seeds.give_portrait")} und ${
        keys("seeds.give_foundation")
      }.`,
    ),
    p`PNG, JPEG und WebP werden angenommen. Die Zahl auf dem Pfeil ist die Ähnlichkeit der beiden Gesichter; ${
      act("seeds.compare_pair")
    } misst ein Paar, das du von Hand gegeben hast. „Lässt sich nicht sagen“ ist kein schlechter Wert: Es fand sich kein Gesicht, das sich vergleichen ließ.`,
    h`Varianten und der Hero`,
    p`Ein Satz macht 1 bis 64 Grundbilder aus dem Porträt, jedes mit einer eigenen Zufallszahl. Bevor er beginnt, sagt das Formular, wie lange es dauert und welche Worker es können. Auf dem Kontaktbogen:`,
    list(
      t`${keys("seeds.keep")} behält, ${keys("seeds.reject")} verwirft, ${
        keys("seeds.undecide")
      } lässt es offen; ${keys("seeds.rate_1")} bis ${keys("seeds.rate_5")} bewerten.`,
      t`${
        keys("seeds.compare_kept")
      } vergleicht, was du behalten oder ausgewählt hast, bis zu neun Bilder mit einem gemeinsamen Zoom.`,
      t`${
        keys("seeds.make_hero")
      } macht zum Hero. Darfst du endgültig freigeben, ist er damit gebilligt; sonst wartet er auf jemanden, der es darf.`,
    ),
    actions("go.characters", "go.variations", "seeds.approve_hero"),
    h`Einen Seed ersetzen`,
    p`Ein neues Porträt oder Grundbild kann an die Stelle eines alten treten. Was aus dem alten entstand, heißt dann veraltet und wird nie gelöscht. Vorher zählt das Studio auf, was das ist.`,
    h`Wenn sich nichts erzeugen lässt`,
    p`Kein Clip beginnt, bevor sein Hero gewählt und gebilligt ist. Geht ${
      act("clips.begin")
    } nicht, dann billige zuerst den Hero.`,
  ],
  plan: [
    p`Ein Clip wünscht sich eine Länge in Bildern bei der Bildrate des Projekts. Der Workflow kann nur kurze Stücke, deshalb plant das Studio Segmente: Das erste geht vom Hero aus, jedes weitere vom letzten behaltenen Bild des vorigen. Der Schnitt hat genau so viele Bilder, wie du bestellt hast.`,
    h`Was der Plan sagt`,
    list(
      t`Wie viele Segmente es werden, wie viele Bilder jedes behält und wie viele dafür zu erzeugen sind.`,
      t`Bildrate und Größe des Workflows, und nach welcher Regel das Ergebnis auf die Bildrate des Projekts kommt.`,
      t`Etwa wie lange es dauert, und wie lange in neun von zehn Fällen höchstens. Das kommt aus dem, was solche Arbeit hier zuletzt brauchte; für einen Workflow, der hier noch nie lief, gibt es keine Zahl.`,
      t`Wenn kein Worker den Workflow jetzt ausführen kann: was jedem fehlt.`,
    ),
    p`Der Knopf sagt, was er tun wird: erst der Plan, dann erzeugt ${keys("clips.generate")}. ${
      keys("clips.pause")
    } hält nach dem laufenden Schritt an. Nichts Gemachtes geht verloren, und es geht von dort aus weiter.`,
    actions("go.scenes", "clips.create", "clips.show-plan"),
    h`Enden sind elastisch`,
    p`Jedes Segment wird etwas länger erzeugt, als es sein müsste. Das Studio sucht gegen Ende ein ruhiges Bild und schneidet dort; die Segmente danach werden neu geplant, sodass die Summe stimmt. Nur das letzte muss sein Bild genau treffen. Mit „Ende dehnen“ bei den Prüfungen darf es um höchstens 4 % langsamer oder schneller werden, damit auch es ruhig endet.`,
    h`Einstellungen des Clips`,
    p`Länge, Prompts, Hero, Workflow und Zufallszahl sind in der ersten Schublade, die Regler des Workflows in der zweiten, die Prüfungen in der dritten. Wähle ein Segment, um ihm einen eigenen Prompt, eine eigene Zufallszahl oder Länge zu geben. Was schon gemacht ist, bleibt; was nicht mehr passt, wird neu geplant.`,
    p`Solange am Clip gearbeitet wird, sind seine Einstellungen gesperrt: halte ihn an, um sie zu ändern. Bei einem finalen Clip musst du das zuerst zurücknehmen.`,
  ],
  takes: [
    p`Ein Take ist ein erzeugtes Video für ein Segment. Neu würfeln fügt einen hinzu und überschreibt nie einen; der gewählte Take jedes Segments kommt in den Schnitt.`,
    h`Was gemessen wird`,
    list(
      t`Ruhe: wie still das Bild ist, auf dem ein Take endet.`,
      t`Ähnlichkeit mit dem Porträt, von 0 bis 1, und in wie vielen Bildern sich ein Gesicht vergleichen ließ.`,
      t`Farbe und Schärfe gegenüber dem ersten Segment; eingefrorene Bilder und Blitzer.`,
      t`Am Schnitt: jede Naht, und ob die Ähnlichkeit von Segment zu Segment sinkt.`,
    ),
    p`Eine Prüfung ist eine Grenze für einen dieser Werte. Was durchfällt, wird von selbst mit einer anderen Zufallszahl neu gemacht, zweimal, wenn du bei den Prüfungen nichts anderes einstellst. Danach heißt es am Clip „Braucht dich“, mit dem Grund. Die Kurven der Zeitleiste zeigen die Stelle; die Grenzen sind Linien darin.`,
    h`Wenn eine Prüfung fragt`,
    list(
      t`${act("clips.make-again")}: noch ein Versuch.`,
      t`Behalte den Take oder den Schnitt, wie er ist; auf dem Hauptknopf des Clips steht, welchen.`,
      t`Gib dem Segment einen eigenen Prompt oder eine eigene Zufallszahl und würfle dann neu.`,
    ),
    h`An einem Segment arbeiten`,
    list(
      t`${keys("clips.previous-segment")} und ${keys("clips.next-segment")} wählen ein Segment, ${
        keys("clips.previous-take")
      } und ${keys("clips.next-take")} spielen seine Takes, ${
        keys("clips.choose")
      } verwendet den gezeigten, ${keys("clips.back-to-cut")} geht zurück zum Schnitt.`,
      t`${act("clips.reroll")}: alles danach wird neu geplant. ${
        act("clips.reroll-keep")
      }: der neue Take endet auf dem ersten Bild des nächsten Segments, und der Rest bleibt. Das braucht einen Workflow, der ein letztes Bild annimmt.`,
      t`${act("clips.extend")}: es wird länger neu erzeugt.`,
      t`${act("clips.lock")}: ein gewählter Take wird nicht mehr umgeplant.`,
    ),
    p`Ein veralteter Take ging von einem Bild aus, nach dem sich der Clip nicht mehr richtet. Er bleibt und kann wieder gewählt werden.`,
    actions("clips.reroll", "clips.stitch", "clips.undo-decision"),
  ],
  player: [
    p`Der Player zeigt den Schnitt oder den gewählten Take, Bild für Bild. Die Nummer des Bildes ist die in der Datei: Die Sichtkopie hat eine feste Bildrate und dieselben Bilder wie ihr Master.`,
    h`Tasten`,
    list(
      t`${keys("player.toggle")} spielt und hält an.`,
      t`${keys("player.previous-frame")} und ${keys("player.next-frame")} gehen um ein Bild, ${
        keys("player.previous-second")
      } und ${keys("player.next-second")} um eine Sekunde. Gehalten gehen sie weiter.`,
      t`${keys("player.first")} und ${keys("player.last")} gehen zum ersten und zum letzten Bild.`,
      t`${keys("player.shuttle-back")} ${keys("player.shuttle-stop")} ${
        keys("player.shuttle-forward")
      } sind der Shuttle: jeder weitere Druck derselben Seite verdoppelt das Tempo, bis zum Achtfachen.`,
      t`${keys("player.mark-in")} und ${keys("player.mark-out")} markieren einen Abschnitt, ${
        keys("player.loop")
      } spielt ihn in Schleife, ${keys("player.clear-marks")} löscht die Marken.`,
    ),
    h`Zu einem Bild gehen`,
    p`Schreibe in das Feld für das Bild: ${code("144")} ist ein Bild, ${code("+12")} und ${
      code("-5")
    } sind Schritte, ${code("1:04")} ist ein Timecode aus Sekunden und Bildern. Gezählt wird ab 0.`,
    h`Wo die Tasten wirken`,
    p`Sie wirken, solange ein Clip oder seine Zeitleiste die Tastatur hat. Geschieht nichts, dann klicke auf das Bild, oder drücke ${
      keys("app.next_area")
    }, bis der Reiter des Bereichs unterstrichen ist. Sind einzelne Buchstaben unter ${
      act("app.keys")
    } abgeschaltet, dann tun diejenigen dieser Tasten nichts, die ein Buchstabe oder Zeichen sind.`,
    h`Wenn das Bild schwarz bleibt`,
    list(
      t`Dieser Browser kann die Sichtkopie nicht abspielen: Ihm fehlt H.264. Öffne das Studio in einem aktuellen Chrome, Edge oder Safari.`,
      t`Das Bild konnte nicht geladen werden: Das Studio antwortet nicht. Was bekannt ist, bleibt; ${
        act("player.reload")
      } versucht es wieder.`,
      t`Gleich nach einem Take kann seine Sichtkopie noch ein Auftrag in der Warteschlange sein.`,
    ),
  ],
  finish: [
    p`Ein zusammengefügter Schnitt geht in Durchsicht. Wer entscheiden darf, sieht ihn an und sagt es mit einer Taste; es fragt kein Dialog nach, und alles lässt sich zurücknehmen.`,
    list(
      t`${
        act("clips.finalize")
      }: macht den Schnitt zum finalen seines Clips. Das braucht das Recht der endgültigen Freigabe, das Gestalter und Admins haben.`,
      t`${act("clips.approve")} und ${
        act("clips.reject")
      }: sagen, was Prüfer davon halten; final wird er dadurch nicht.`,
      t`${act("clips.undo-decision")}: geht auch, wenn es schon final hieß.`,
    ),
    p`Ein finaler Schnitt ist geschützt: Er lässt sich nicht löschen, solange etwas von ihm abhängt, und die Einstellungen des Clips sind gesperrt, bis die Entscheidung zurückgenommen ist. Im selben Augenblick entsteht ${
      code("video_metadata.json")
    }: Bildrate, Bilder, Farbe, woher jedes Segment kommt, die Messwerte, wer freigegeben hat. Jedes neue Zusammenfügen macht einen neuen, nummerierten Schnitt; die alten bleiben.`,
    h`Master`,
    p`Aus den finalen Clips einer Szene wird in ihrer Reihenfolge der Master: eine H.264-Datei. Teile, die zusammenpassen, werden ohne Neukodierung kopiert, andere angepasst. Solange ein Clip der Szene keinen finalen Schnitt hat, wird es abgelehnt.`,
    h`Auslieferungen`,
    p`Eine Auslieferung ist ein Master mit seinen Begleitpapieren: CSV und XML mit einer Zeile je Clip, die Metadaten jedes Schnitts und jeder Figur, ein README und ${
      code("MANIFEST.sha256")
    }, um alles mit ${code("sha256sum -c")} zu prüfen.`,
    p`Für Master und Auslieferungen gibt es noch keine Ansicht: Sie entstehen über die API. Siehe ${
      see("scripts")
    } und ${
      at("/api/docs")
    }. Die neuesten finalen Clips und Master zeigt die Statusseite; dort lassen sie sich öffnen.`,
    lines(
      "POST /api/scenes/SCENE/masters",
      "POST /api/masters/MASTER/deliveries",
      "GET  /api/deliveries/DELIVERY/files/NAME",
    ),
    actions("go.scenes", "go.status"),
  ],
  queue: [
    p`Alles, was dauert, ist ein Auftrag. Du kannst weiterarbeiten, den Browser schließen, sogar das Studio neu starten: Aufträge bleiben, und was halb fertig war, geht weiter oder beginnt von vorn, ohne doppelt gemacht zu werden.`,
    h`Warum ein Auftrag wartet`,
    p`Die Warteschlange sagt es in der Zeile des Auftrags, und ausführlich, wenn du ihn wählst. Die üblichen Gründe:`,
    list(
      t`Andere sind vorher dran. Jede Person bekommt ihren Anteil an einer Spur, sodass ein großer Satz niemanden aussperrt.`,
      t`Er braucht einen anderen Auftrag. Ist der fehlgeschlagen oder abgebrochen, dann wiederhole ihn, oder brich diesen ab.`,
      t`Die Spur, der Worker oder die Person ist angehalten: dort steht auch, von wem.`,
      t`Kein Worker kann seinen Workflow ausführen: dort steht, was jedem fehlt. Siehe ${see("workers")}.`,
      t`Er ist angehalten, soll später beginnen oder wird nach einem Fehler in so und so vielen Sekunden wieder versucht.`,
    ),
    h`Die Reihenfolge ändern`,
    p`Ziehe wartende Aufträge, auch mehrere ausgewählte zugleich, oder nimm ${keys("jobs.move_up")}, ${
      keys("jobs.move_down")
    } und ${
      keys("jobs.move_first")
    }. Die Priorität geht von −10 bis 10; über 0 darf nur, wer die ganze Warteschlange führt.`,
    h`Eingreifen`,
    list(
      t`${act("jobs.hold")}: er behält seinen Platz und beginnt nicht.`,
      t`${act("jobs.edit")}: Prompt, Zufallszahl, Beginn oder Worker von dem, was noch wartet.`,
      t`${act("jobs.cancel")} und ${act("jobs.retry")}: Gestalter die eigenen Aufträge, Admins alle.`,
      t`${act("jobs.pause_after")}: er läuft zu Ende, dann beginnt dort nichts mehr.`,
    ),
    actions("go.queue", "jobs.tray", "jobs.retry_failed"),
    h`Was von selbst wieder versucht wird`,
    p`Ein verschwundener Worker, zu wenig Grafikspeicher, eine fehlende Ausgabe: Das wird ein paar Mal wieder versucht, mit immer längeren Pausen. Bei voller Platte so lange, bis Platz ist. Ein abgelehnter Workflow, ein fehlendes Modell oder falsche Eingaben scheitern sofort und sagen, was zu tun ist.`,
  ],
  workers: [
    p`Ein Worker ist ein ComfyUI-Server in deinem Netz oder die eingebaute CPU-Engine. Admins fügen Worker hinzu; was jeder ausführen kann, sehen alle.`,
    h`Ein ComfyUI hinzufügen`,
    steps(
      t`Starte ComfyUI so, dass andere Rechner es erreichen: es braucht ${code("--listen")}.`,
      t`Wähle ${act("workers.add")} und gib die Adresse ein, etwa ${code("http://192.168.1.20:8188")}.`,
      t`Teste sie. Das Studio fragt nach Version, Grafikkarten, Knoten und Modellen und sagt für jeden benutzten Workflow, was fehlt. Gesichert ist noch nichts.`,
      t`Füge ihn hinzu. Was fehlt, kannst du jederzeit nachholen; das Studio sieht wieder nach.`,
    ),
    actions("workers.add", "go.workers"),
    h`Einen aus dem Betrieb nehmen`,
    list(
      t`${
        act("workers.drain")
      }: er bekommt nichts Neues und ist abgeschaltet, sobald alles dort beendet ist.`,
      t`${act("workers.disable")}: er bekommt ab sofort nichts Neues; was läuft, läuft weiter.`,
      t`${act("workers.remove")}: das Studio vergisst ihn. Nicht, solange dort etwas läuft.`,
    ),
    p`${act("workers.interrupt")}, ${act("workers.free")} und ${
      act("workers.restart")
    } wirken auf das ComfyUI selbst. Jedes sagt zuerst, welche Aufträge es träfe; ein unterbrochener Auftrag wartet wieder und verliert keinen Versuch.`,
    h`Pflege`,
    p`Zeigt ein Prompt viel länger keinen Fortschritt, als solche Arbeit sonst braucht, wird der Worker verdächtig. Unter „Pflege“ sagst du, wie weit der Wachhund von selbst gehen darf: unterbrechen, Speicher freigeben, neu starten, beenden, oder es nur melden. Wächter geben einem Worker nichts Neues, solange er zu heiß oder zu wenig von seinem Grafikspeicher frei ist.`,
    p`Von einem Worker auf einem anderen Rechner weiß das Studio, was dessen ComfyUI sagt. Temperatur, Leistung und Last, und wie voll seine Platte ist, kommen von ${
      code("deno task agent")
    }, dort in einer Kopie von Seedloops Ordner gestartet. Das Studio findet ihn von selbst an Port 7430; er sagt nur Zahlen.`,
    p`Mit einem Startbefehl führt das Studio ein ComfyUI auf seinem eigenen Rechner aus, mit seinen eigenen Rechten, und hält es am Laufen.`,
    h`Wenn er nicht zu erreichen ist`,
    p`Sieh nach, ob ComfyUI läuft, ob es mit ${
      code("--listen")
    } gestartet wurde, und ob eine Firewall dazwischen ist. Seine Aufträge gehen von selbst weiter, wenn er zurück ist.`,
  ],
  areas: [
    p`Eine Seite besteht aus Bereichen, und jeder Bereich kann alles zeigen. Das Zeichen links in seiner Kopfzeile wählt, was; das Plus legt einen weiteren Reiter an; die Punkte haben den Rest.`,
    h`Umräumen`,
    list(
      t`Ziehe einen Reiter auf einen anderen Bereich, um ihn dort abzulegen, an eine seiner Seiten, um ihn zu teilen, oder an den Rand des Fensters, um ihn neben alles zu stellen.`,
      t`Ziehe die Grenze zwischen zwei Bereichen; ein Doppelklick macht sie gleich groß. Mit Tasten: ${
        keys("dock.widen")
      }, ${keys("dock.narrow")}, ${keys("dock.heighten")}, ${keys("dock.lower")}.`,
      t`${act("dock.split_right")}, ${act("dock.split_down")}, oder einen Nachbarn übernehmen.`,
      t`${act("dock.maximise")}; dasselbe tut ein Doppelklick auf die Kopfzeile.`,
      t`${act("dock.float")}, oder für einen zweiten Bildschirm ${
        act("dock.pop_out")
      }. Erlaube dem Studio, Fenster zu öffnen.`,
      t`${act("app.next_area")} und ${act("app.previous_area")}: dorthin geht die Tastatur.`,
    ),
    actions("dock.split_right", "dock.maximise", "dock.pop_out", "app.focus_mode"),
    h`Eine Anordnung behalten`,
    p`Jede Seite merkt sich ihre Bereiche, wie du sie verlassen hast. ${
      act("dock.keep_mine")
    } macht sie zu deiner, ${act("dock.reset_mine")} holt sie zurück, und ${
      act("dock.reset")
    } holt die mitgelieferte, die je nach Rolle eine andere sein kann. ${
      act("dock.lock")
    } verhindert Versehen.`,
    actions("dock.keep_mine", "dock.reset", "dock.lock"),
    h`Arbeitsplätze`,
    p`Ein Arbeitsplatz ist alles, was du siehst, unter einem Namen: alle Anordnungen, was offen ist, Filter, Entwürfe. Lege in der Leiste unten mehrere an, etwa einen für die Durchsicht und einen zum Einrichten. Ein entfernter lässt sich 30 Tage lang zurückholen.`,
    actions("workspace.create", "workspace.rename"),
  ],
  keys: [
    p`${
      act("app.palette")
    }: findet alles mit wenigen Buchstaben und verzeiht Tippfehler. Was du zuletzt gewählt hast, steht vorn.`,
    list(
      t`${code(">")} findet nur Befehle, mit ihren Tasten. Einer, der gerade nicht geht, sagt warum.`,
      t`${
        code("@")
      } findet Projekte, Figuren, Szenen, Clips, Dateien, Aufträge, Worker, Workflows und Personen.`,
      t`${code("/")} findet Einstellungen: die des Studios, und die auf dieser Seite mit ihren Werten.`,
      t`${code("?")} findet Seiten dieses Handbuchs.`,
    ),
    actions("app.palette", "app.keys"),
    h`Tasten`,
    p`${
      act("app.keys")
    }: dort steht jeder Befehl mit seinen Tasten. Drücke auf die Taste rechts neben einem Befehl und dann die neue. Was am selben Ort schon etwas bedeutet, nimmt das Studio nicht an und sagt, was es ist. „Allen Befehlen ihre eigenen Tasten zurückgeben“ macht alles rückgängig. Die Seiten dieses Handbuchs zeigen deine Tasten, nicht die mitgelieferten.`,
    h`Wo eine Taste wirkt`,
    p`Die meisten einzelnen Buchstaben gehören zu einem Bereich und wirken, solange er die Tastatur hat: ${
      keys("seeds.keep")
    } behält auf dem Kontaktbogen ein Bild und hält in einem Clip das Erzeugen an. Tasten mit ${
      code("Strg")
    } oder ${
      code("Cmd")
    } wirken meist überall. Solange du in ein Feld schreibst, sind Buchstaben Buchstaben.`,
    h`Wenn Tasten nichts tun`,
    list(
      t`Die Tastatur ist woanders: ${
        keys("app.next_area")
      } führt sie weiter; unterstrichen ist der Reiter des Bereichs, der sie hat.`,
      t`Ein Dialog ist offen: ${keys("app.leave_focus_mode")} schließt ihn.`,
      t`${
        act("app.single_keys")
      }: das ist ausgeschaltet. Spracheingabe und manche Vorleseprogramme wollen es so.`,
      t`Der Browser oder das System nimmt die Taste für sich: wähle eine andere.`,
    ),
  ],
  history: [
    p`${keys("history.undo")} nimmt zurück, was du zuletzt getan hast, ${
      keys("history.redo")
    } tut es wieder. Das gilt für alles, was du dem Studio gesagt hast: Aussortieren, Heros, Einstellungen, gewählte Takes, Namen, den Papierkorb, die Reihenfolge der Warteschlange, Personen und Worker.`,
    h`Durch Zurücknehmen geht nichts verloren`,
    p`Der Verlauf ist ein Baum. Nimmst du etwas zurück und tust dann etwas anderes, beginnt ein Zweig, und beide Wege bleiben. Zeige „Verlauf“ in irgendeinem Bereich, um sie zu sehen:`,
    list(
      t`Die Pfeiltasten wandern, ${
        keys("history.go_to")
      } geht zu einem Punkt, indem es zurücknimmt und wieder tut, was dazwischen liegt.`,
      t`${keys("history.name")} gibt einem Punkt einen Namen, damit du ihn wiederfindest.`,
      t`Der leuchtende Punkt ist, wo du bist. Was blass ist, wurde zurückgenommen.`,
    ),
    actions("history.undo", "history.redo"),
    h`Was Zurücknehmen nicht tut`,
    list(
      t`Es löscht keinen Take, keinen Schnitt, kein Bild: Was erzeugt wurde, bleibt. Was noch läuft, wird zuerst angehalten oder abgebrochen.`,
      t`Was sich nicht zurücknehmen lässt, sagt das vorher mit den Worten „Das lässt sich nicht rückgängig machen“, und der Verlauf geht nicht daran vorbei.`,
    ),
    p`Der Verlauf ist deiner und gehört zum Arbeitsplatz: Er ist nach einem Absturz wieder da und auch in einem anderen Browser. Wer im ganzen Studio was getan hat, steht im Protokoll: ${
      see("people")
    }.`,
  ],
  kept: [
    p`Was du siehst, wird laufend behalten: Anordnungen, was offen ist, Auswahl, Filter, Sortierung, Zoom, Rollstand, Abspielstelle, halb ausgefüllte Formulare, der Verlauf. Sofort in diesem Browser, und binnen zwei Sekunden im Studio. Melde dich anderswo an, und es ist, wie du es verlassen hast.`,
    h`Das Wort in der Leiste unten`,
    list(
      t`„gesichert“: es ist im Studio.`,
      t`„sichert …“: es ist unterwegs.`,
      t`„in diesem Browser“: das Studio ist nicht zu erreichen. Arbeite weiter; es wird geschickt, sobald das Studio zurück ist.`,
    ),
    h`Zwei Geräte, zwei Tabs`,
    p`Jeder Tab hat seine eigene Sicht, zwei Tabs stören einander also nicht. Haben zwei Geräte dasselbe geändert, zählt die spätere Änderung, und die andere bleibt als Zweig; das Studio sagt es dir.`,
    h`Uploads`,
    p`Ein abgebrochener Upload geht weiter, wo er stehen blieb. Dateien bis 64 MB tun das von selbst, auch nachdem die Seite neu geladen wurde; größere wählst du noch einmal aus, und nur der fehlende Rest wird geschickt.`,
    h`Wenn das Studio nicht antwortet`,
    p`Eine Zeile oben sagt es. Was zu sehen ist, kannst du weiter ansehen; andere Änderungen müssen warten. Die Seite versucht es von selbst wieder.`,
    h`Was nicht wiederkommt`,
    p`Menüs, die Palette, die Liste der Tasten, Rückfragen vor etwas Gefährlichem, Passwörter, und Dateien, die du gewählt, aber nicht geschickt hast.`,
    actions("workspace.create", "go.account"),
  ],
  people: [
    p`Jeder Mensch hat im Studio eine Rolle und kann in einem Projekt eine kleinere haben. Die Rolle im Projekt kann Rechte nehmen, nie welche geben.`,
    list(
      t`Admin: alles, und als Einziger Worker, Personen und Einstellungen des Studios.`,
      t`Gestalter: macht und ändert in Projekten, in denen er Mitglied ist, und darf endgültig freigeben.`,
      t`Prüfer: sieht, billigt und lehnt ab. Er erzeugt nicht und schließt nichts ab.`,
    ),
    h`Jemanden hereinlassen`,
    steps(
      t`Ein Admin wählt ${
        act("people.invite")
      }. Das Studio macht einen Link, der einmal gilt und nur dann zu sehen ist; es schickt keine Mail, gib ihn also selbst weiter.`,
      t`Das Passwort wählt jeder selbst, zehn Zeichen oder mehr.`,
      t`Nimm die Person in ein Projekt auf: sonst sieht sie keines.`,
    ),
    actions("people.invite", "members.add", "account.change_password"),
    h`Wenn jemand nicht hineinkommt`,
    list(
      t`Passwort vergessen: wähle die Person unter „Leute“ und mache einen neuen Link.`,
      t`Der Link ist abgelaufen oder benutzt: mache noch einen.`,
      t`Kein Projekt zu sehen: nimm die Person als Mitglied auf.`,
      t`${
        act("people.suspend")
      }: beendet sofort alle Sitzungen und Token einer Person. Was sie gemacht hat, bleibt.`,
    ),
    h`Wer was getan hat`,
    p`Jede Änderung steht im Protokoll, mit wer, was, wann und von wo. Admins finden es als Reiter unter „Leute“. Deine eigenen Sitzungen, mit Browser und Adresse, stehen unter „Konto“: beende, was du nicht kennst.`,
    actions("go.people", "go.account"),
  ],
  lan: [
    p`Von selbst horcht das Studio nur auf dem eigenen Rechner, unter ${
      code("http://127.0.0.1:7420")
    }. Damit andere hineinkommen, starte es mit einer Adresse des Netzes. Solange es keinen Admin gibt, lehnt es das ab.`,
    lines("deno task start --host 0.0.0.0"),
    h`HTTPS und das Zertifikat`,
    p`Im Netz gibt es nur HTTPS, mit einem Zertifikat, das das Studio selbst gemacht hat. Browser kennen es noch nicht und warnen. Auf jedem Rechner einmal:`,
    steps(
      t`Öffne ${code("/trust")} unter der Adresse des Studios, etwa ${
        code("https://192.168.1.20:7420/trust")
      }, und übergehe dieses eine Mal die Warnung.`,
      t`Lade das Zertifikat und installiere es, wie die Seite es für dein System sagt.`,
      t`Schließe den Browser und öffne ihn wieder. Die Warnung ist weg.`,
    ),
    p`Ohne das kann ein Browser Zwischenablage, Mikrofon und schnelles Video zurückhalten.`,
    h`Übliche Schwierigkeiten`,
    list(
      t`Der Port ist belegt: Ein anderes Programm benutzt ihn. Wähle mit ${
        code("--port")
      } einen anderen; unter 1024 verweigern ihn die meisten Systeme.`,
      t`Andere erreichen es nicht: prüfe die Firewall des Rechners, und dass sie ${code("https")} eingeben.`,
      t`Die Warnung ist wieder da: Das Studio hat eine neue Adresse oder wurde neu aufgesetzt. Öffne noch einmal ${
        code("/trust")
      }.`,
      t`${code("deno task doctor")} sagt, was der Rechner bietet und wie sich Fehlendes beheben lässt.`,
    ),
    p`Nichts verlässt dein Netz: keine Schriften, keine Statistik, keine Suche nach Updates.`,
  ],
  scripts: [
    p`Alles, was der Browser tut, geht über die HTTP-API, und Skripte können dasselbe. ${
      at("/api/docs")
    } beschreibt sie für Menschen, ${at("/api/openapi.json")} für Programme.`,
    h`Ein Token`,
    p`Mache unter „Konto“ ein API-Token. Es ist nur einmal zu sehen. Ein Token darf, was seine Bereiche sagen, und nie mehr als du: lesen; einreichen, also anlegen und erzeugen; prüfen; alles.`,
    actions("account.new_token", "go.account"),
    lines(
      "curl https://studio.lan:7420/api/projects \\",
      "  --cacert seedloop-authority.pem \\",
      "  -H 'authorization: Bearer TOKEN'",
    ),
    p`Das Zertifikat liegt unter ${code("/trust/seedloop-authority.pem")}: ${see("lan")}.`,
    h`Gut zu wissen`,
    list(
      t`Fehler haben eine Form (RFC 9457): ein Satz mit Abhilfe, die falschen Felder, und eine Nummer für einen Admin.`,
      t`Das meiste, was du anlegst, nimmt eine eigene Id, eine UUIDv7. Schicke dieselbe Anfrage zweimal, und es ist ein Ding.`,
      t`Lange Arbeit antwortet sofort mit 202. Beobachte ihren Auftrag, oder horche an ${
        code("/api/live")
      }: dort kommt an, was auch der Browser hört.`,
      t`401: Das Token ist falsch, widerrufen oder abgelaufen. 403: Ihm fehlt der Bereich oder dir das Recht. 404 heißt auch: nicht deins.`,
      t`503 kommt mit ${code("Retry-After")}: warte so lange und frage dann wieder.`,
    ),
    h`Ohne Browser`,
    p`Die Demo geht vom Porträt bis zum ausgelieferten Master mit seinen Papieren; alle Aufrufe, die das braucht, stehen in ${
      code("tasks/demo/journey.ts")
    }:`,
    lines("deno task demo --portrait me.png --seconds 15 --out ./out --json"),
  ],
};
