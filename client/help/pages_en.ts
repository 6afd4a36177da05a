import { act, actions, at, code, h, keys, lines, list, p, type Pages, see, steps, t } from "./document.ts";

/** The manual in English. What is said here is what the studio does: change both together. */
export const PAGES_EN: Pages = {
  start: [
    p`Seedloop makes video of a person from still pictures. You give a portrait, choose the full frame that the film starts from, and ask for a clip of so many frames. The studio generates it piece by piece, measures what came, and shows you a cut to decide about.`,
    h`From a portrait to a final clip`,
    steps(
      t`Make a project. Its edit rate can't be changed later.`,
      t`Drop a portrait anywhere in the window, or paste one, and say whose it is.`,
      t`Make foundations of it and choose the hero: ${see("seeds")}.`,
      t`Press ${keys("clips.begin")} beside the hero to begin a clip, and say how long it is.`,
      t`Look at the plan, then generate: ${see("plan")}.`,
      t`Where a gate asks, decide; make again what you do not like: ${see("takes")}.`,
      t`Press ${keys("clips.finalize")} when the cut is what you want: ${see("finish")}.`,
    ),
    actions("first_run.sample", "projects.create", "go.characters"),
    h`Without a GPU`,
    p`Until an admin adds a ComfyUI server, the CPU engine does the work. It moves a camera over your picture, with parallax, light and grain, and uses no model. Everything it made says “CPU preview”, wherever it shows. To get real renders, see ${
      see("workers")
    }.`,
    h`When you are stuck`,
    list(
      t`A button that is off says why when you point at it or focus it.`,
      t`A job that waits says what it waits for: ${see("queue")}.`,
      t`${act("app.palette")} finds every command, every thing in the studio, and these pages.`,
      t`${
        act("help.open")
      } opens the page about the panel you are in. Show the manual in any area to read beside your work.`,
    ),
  ],
  seeds: [
    p`A seed is a still picture. Seed A is the portrait: a face, as frontal and sharp as there is. Seed B is a foundation: the full frame from which video starts. The foundation you pick is the hero.`,
    h`Three ways to a pair`,
    list(
      t`${act("seeds.direction_forward")}: ${keys("seeds.derive_forward")} makes one.`,
      t`${act("seeds.direction_backward")}: ${keys("seeds.derive_backward")} makes one.`,
      t`${act("seeds.direction_by_hand")}: give both, with ${keys("seeds.give_portrait")} and ${
        keys("seeds.give_foundation")
      }.`,
    ),
    p`PNG, JPEG and WebP are taken. The number on the arrow is the likeness of the two faces; ${
      act("seeds.compare_pair")
    } measures a pair that you gave by hand. “Can't be told” is no low score: no face was found that could be compared.`,
    h`Variations and the hero`,
    p`A batch makes 1 to 64 foundations from the portrait, each with its own random seed. Before it starts, the form says how long it will take and which workers can run it. In the sheet:`,
    list(
      t`${keys("seeds.keep")} keeps, ${keys("seeds.reject")} rejects, ${
        keys("seeds.undecide")
      } leaves it open; ${keys("seeds.rate_1")} to ${keys("seeds.rate_5")} rate.`,
      t`${keys("seeds.compare_kept")} compares what you kept or selected, up to nine, with one zoom for all.`,
      t`${
        keys("seeds.make_hero")
      } makes the hero. If you have the right of final approval, it is approved at once; else it waits for somebody who has.`,
    ),
    actions("go.characters", "go.variations", "seeds.approve_hero"),
    h`Replacing a seed`,
    p`A new portrait or foundation can take the place of an old one. What was made from the old one is then shown as stale, never deleted. Before you do it, the studio counts what that is.`,
    h`If nothing can be generated`,
    p`No clip starts before its hero is chosen and approved. If ${
      act("clips.begin")
    } is off, approve the hero first.`,
  ],
  plan: [
    p`A clip asks for a length in frames at the project's rate. The workflow can only make short pieces, so the studio plans segments: the first starts from the hero, each next one from the last kept frame of the one before. The cut has exactly as many frames as you asked for.`,
    h`What the plan says`,
    list(
      t`How many segments, how many frames each keeps, and how many have to be generated for that.`,
      t`The workflow's own rate and size, and by which rule the result is brought to the project's rate.`,
      t`About how long it takes, and at most how long nine times in ten. That comes from what such work took here lately; a workflow that never ran here has no figure yet.`,
      t`If no worker can run the workflow now: what each of them lacks.`,
    ),
    p`The button says what it will do: first the plan, then ${keys("clips.generate")} generates it. ${
      keys("clips.pause")
    } stops after the step that runs now. Nothing made is lost, and generating goes on from there.`,
    actions("go.scenes", "clips.create", "clips.show-plan"),
    h`Ends are elastic`,
    p`Each segment is generated a little longer than it needs to be. The studio looks in its tail for a calm frame and ends it there; the segments after it are planned anew, so that the sum still fits. Only the last one must hit its frame. “Retime the end” in the gates lets it be slowed or hurried, by at most 4 %, to end calmly too.`,
    h`Settings of the clip`,
    p`Length, prompts, hero, workflow and random seed are in the first drawer, the workflow's knobs in the second, the gates in the third. Pick a segment to give it its own prompt, seed or length. Takes that were made stay; what no longer fits is planned again.`,
    p`While a clip is at work its settings are off: pause it to change them. A final clip has to be undone first.`,
  ],
  takes: [
    p`A take is one generated video of a segment. A re-roll adds a take and never overwrites one; the chosen take of each segment goes into the cut.`,
    h`What is measured`,
    list(
      t`Stability: how calm the frame is on which a take ends.`,
      t`Likeness to the portrait, from 0 to 1, and in how many frames a face could be compared.`,
      t`Colour and sharpness against the first segment; frozen frames and flashes.`,
      t`In the cut: each seam, and whether the likeness falls from segment to segment.`,
    ),
    p`A gate is a limit on one of these. What fails is made again by itself with another random seed, twice unless you set another number under Gates. Then the clip says “Needs you” with the reason. The curves in the timeline show where: the limits are lines in them.`,
    h`When a gate asks`,
    list(
      t`${act("clips.make-again")}: one more try.`,
      t`Keep the take or the cut as it is; the clip’s main button says which one.`,
      t`Change the segment's own prompt or seed, then re-roll.`,
    ),
    h`Working on one segment`,
    list(
      t`${keys("clips.previous-segment")} and ${keys("clips.next-segment")} pick a segment, ${
        keys("clips.previous-take")
      } and ${keys("clips.next-take")} play its takes, ${keys("clips.choose")} uses the one that plays, ${
        keys("clips.back-to-cut")
      } goes back to the cut.`,
      t`${act("clips.reroll")} plans everything after it anew. ${
        act("clips.reroll-keep")
      } makes the new take end on the first picture of the next segment, so that the rest stays. It needs a workflow that takes a last picture.`,
      t`${act("clips.extend")} generates it anew, longer.`,
      t`${act("clips.lock")} keeps a chosen take from being planned anew.`,
    ),
    p`A stale take was made from a picture that the clip no longer goes by. It stays, and can be chosen again.`,
    actions("clips.reroll", "clips.stitch", "clips.undo-decision"),
  ],
  player: [
    p`The player shows the cut, or the take you picked, frame by frame. The frame number on the screen is the number in the file: the review copy has a constant rate and the same frames as its master.`,
    h`Keys`,
    list(
      t`${keys("player.toggle")} plays and pauses.`,
      t`${keys("player.previous-frame")} and ${keys("player.next-frame")} go by one frame; ${
        keys("player.previous-second")
      } and ${keys("player.next-second")} by one second. Hold them to go on.`,
      t`${keys("player.first")} and ${keys("player.last")} go to the first and the last frame.`,
      t`${keys("player.shuttle-back")} ${keys("player.shuttle-stop")} ${
        keys("player.shuttle-forward")
      } shuttle: each press of the same side doubles the speed, up to eight times.`,
      t`${keys("player.mark-in")} and ${keys("player.mark-out")} mark a range, ${
        keys("player.loop")
      } loops it, ${keys("player.clear-marks")} clears it.`,
    ),
    h`Going to a frame`,
    p`Type into the frame field: ${code("144")} is a frame, ${code("+12")} and ${code("-5")} are steps, ${
      code("1:04")
    } is a timecode of seconds and frames. Frames count from 0.`,
    h`Where the keys act`,
    p`These keys act while a clip or its timeline has the keyboard. If nothing happens, click the picture or press ${
      keys("app.next_area")
    } until the tab of its area is underlined. If single letters were turned off in ${
      act("app.keys")
    }, those of these keys that are a letter or a sign do nothing.`,
    h`If the picture stays black`,
    list(
      t`“This browser can't play the review copy”: it lacks H.264. Open the studio in a current Chrome, Edge or Safari.`,
      t`“The picture could not be loaded”: the studio does not answer. What is known stays; ${
        act("player.reload")
      } tries again.`,
      t`Right after a take was made, its review copy may still be a job in the queue.`,
    ),
  ],
  finish: [
    p`A stitched cut goes to review. Whoever may decide looks at it and says so with one key; there is no dialog, and everything can be taken back.`,
    list(
      t`${
        act("clips.finalize")
      } makes the cut the clip's final one. It needs the right of final approval, which creators and admins have.`,
      t`${act("clips.approve")} and ${
        act("clips.reject")
      } say what reviewers think of it; neither makes it final.`,
      t`${act("clips.undo-decision")} takes the last decision back.`,
    ),
    p`A final cut is protected: it can't be deleted while something depends on it, and the clip's settings are off until the decision is undone. Its ${
      code("video_metadata.json")
    } is written in the same moment: rate, frames, colour, where each segment came from, the measures, who approved it. Every new stitch makes a new, numbered cut; the old ones stay.`,
    h`Masters`,
    p`A scene's final clips, in order, become its master: one H.264 file. Parts that agree are copied without encoding, others are conformed. It is refused while a clip of the scene has no final cut.`,
    h`Deliveries`,
    p`A delivery is a master with its documents: CSV and XML with one row for each clip, the metadata of each cut and character, a README, and ${
      code("MANIFEST.sha256")
    } to check it all with ${code("sha256sum -c")}.`,
    p`There is no screen for masters and deliveries yet: they are made through the API. See ${
      see("scripts")
    } and ${at("/api/docs")}. The newest finals and masters show on the status page, and open from there.`,
    lines(
      "POST /api/scenes/SCENE/masters",
      "POST /api/masters/MASTER/deliveries",
      "GET  /api/deliveries/DELIVERY/files/NAME",
    ),
    actions("go.scenes", "go.status"),
  ],
  queue: [
    p`Everything that takes time is a job. You can go on working, close the browser, even restart the studio: jobs are kept, and what was half done goes on or begins again without being made twice.`,
    h`Why a job waits`,
    p`The queue says it on the job's line, and in full when you select it. The usual reasons:`,
    list(
      t`Others come first. Each person gets a share of a lane, so a large batch does not shut others out.`,
      t`It needs another job. If that one failed or was cancelled, retry it or cancel this one.`,
      t`The lane, the worker or the person is paused: the line says by whom.`,
      t`No worker can run its workflow: the line says what each lacks. See ${see("workers")}.`,
      t`It is held, or was given a start time, or is tried again after a failure in so many seconds.`,
    ),
    h`Changing the order`,
    p`Drag jobs that wait, several at once if they are selected, or use ${keys("jobs.move_up")}, ${
      keys("jobs.move_down")
    } and ${
      keys("jobs.move_first")
    }. Priorities go from −10 to 10; only who runs the whole queue may go above 0.`,
    h`Steering`,
    list(
      t`${act("jobs.hold")}: it keeps its place and does not start.`,
      t`${act("jobs.edit")} changes the prompt, the seed, the start or the worker of what still waits.`,
      t`${act("jobs.cancel")} and ${act("jobs.retry")}. Artists steer their own jobs, admins all.`,
      t`${act("jobs.pause_after")}: lets it end, then starts nothing more there.`,
    ),
    actions("go.queue", "jobs.tray", "jobs.retry_failed"),
    h`What is tried again by itself`,
    p`A worker that goes away, too little GPU memory, a missing output: these are tried again a few times, with longer and longer pauses. A full disk is tried until there is space. A refused workflow, a missing model or wrong input fails at once, with what to mend.`,
  ],
  workers: [
    p`A worker is a ComfyUI server on your network, or the built-in CPU engine. Admins add workers; everybody can see what each one can run.`,
    h`Adding a ComfyUI`,
    steps(
      t`Start ComfyUI so that other machines reach it: it needs ${code("--listen")}.`,
      t`Choose ${act("workers.add")} and type its address, such as ${code("http://192.168.1.20:8188")}.`,
      t`Test it. The studio asks it for its version, its graphics cards and its nodes and models, and says for each workflow in use what is missing. Nothing is saved yet.`,
      t`Add it. Install what is missing whenever you like; the studio looks again.`,
    ),
    actions("workers.add", "go.workers"),
    h`Taking one out of use`,
    list(
      t`${act("workers.drain")}: it gets nothing new, and is disabled once what runs there has ended.`,
      t`${act("workers.disable")}: it gets nothing new from now on; what runs goes on.`,
      t`${act("workers.remove")}: the studio forgets it. Not while something runs there.`,
    ),
    p`${act("workers.interrupt")}, ${act("workers.free")} and ${
      act("workers.restart")
    } act on the ComfyUI itself. Each first says which jobs it would affect; a job that is interrupted waits again and loses no attempt.`,
    h`Care`,
    p`A prompt that shows no progress for much longer than such work usually needs makes the worker suspect. Under Care you say how far the watch-dog may go by itself: interrupt, free, start anew, kill, or only say so. Guards give a worker nothing new while it is too hot or too little of its GPU memory is free.`,
    p`Of a worker on another machine the studio knows what its ComfyUI tells. Temperature, power and load, and how full its disk is, come from ${
      code("deno task agent")
    }, started there in a copy of Seedloop's folder. The studio finds it by itself at port 7430; it only tells numbers.`,
    p`With a start command the studio runs a ComfyUI on its own machine, with its own rights, and keeps it running.`,
    h`If it can't be reached`,
    p`Check that ComfyUI runs, that it was started with ${
      code("--listen")
    }, and that no firewall is between the two. Its jobs go on by themselves when it is back.`,
  ],
  areas: [
    p`A screen is made of areas, and any area can show any panel. The icon at the left of an area's header chooses what it shows; plus adds another panel as a tab; the dots hold the rest.`,
    h`Moving things`,
    list(
      t`Drag a tab onto another area to make it a tab there, to one of its sides to split it, or to the rim of the window to stand beside everything.`,
      t`Drag the border between two areas; a double click makes them even. By key: ${keys("dock.widen")}, ${
        keys("dock.narrow")
      }, ${keys("dock.heighten")}, ${keys("dock.lower")}.`,
      t`${act("dock.split_right")}, ${act("dock.split_down")}, or take over a neighbour.`,
      t`${act("dock.maximise")}; a double click on the header does the same.`,
      t`${act("dock.float")}, or ${
        act("dock.pop_out")
      }, for a second display. Allow the studio to open windows.`,
      t`${act("app.next_area")} and ${act("app.previous_area")} move the keyboard.`,
    ),
    actions("dock.split_right", "dock.maximise", "dock.pop_out", "app.focus_mode"),
    h`Keeping a layout`,
    p`Each screen remembers its areas as you left them. ${act("dock.keep_mine")} makes the layout yours; ${
      act("dock.reset_mine")
    } brings it back, and ${
      act("dock.reset")
    } brings back the one that came with the studio, which may differ by role. ${
      act("dock.lock")
    } prevents accidents.`,
    actions("dock.keep_mine", "dock.reset", "dock.lock"),
    h`Workspaces`,
    p`A workspace is everything you see, under a name: all layouts, what is open, filters, drafts. Make several in the bar at the bottom, such as one for review and one for setting up. A removed workspace can be taken back for 30 days.`,
    actions("workspace.create", "workspace.rename"),
  ],
  keys: [
    p`${
      act("app.palette")
    } finds everything by a few letters, typing errors forgiven. What you chose lately comes first.`,
    list(
      t`${code(">")} finds commands only, with their keys. One that can't be done now says why.`,
      t`${code("@")} finds projects, characters, scenes, clips, files, jobs, workers, workflows and people.`,
      t`${code("/")} finds settings: of the studio, and those on the screen, with their values.`,
      t`${code("?")} finds pages of this manual.`,
    ),
    actions("app.palette", "app.keys"),
    h`Keys`,
    p`${
      act("app.keys")
    } lists every command with its keys. Press the key on the right of a command, then the new one. The studio refuses keys that already mean something in the same place, and says what. “Give all commands their own keys back” undoes it all. The pages of this manual show your keys, not those the studio came with.`,
    h`Where a key acts`,
    p`Most single letters belong to a panel and act while it has the keyboard: ${
      keys("seeds.keep")
    } keeps a picture in the sheet of variations, and pauses generation in a clip. Keys with ${
      code("Ctrl")
    } or ${code("Cmd")} mostly act everywhere. While you type into a field, letters are letters.`,
    h`If keys do nothing`,
    list(
      t`The keyboard is elsewhere: ${
        keys("app.next_area")
      } moves it on; the tab of the area that has it is underlined.`,
      t`A dialog is open: ${keys("app.leave_focus_mode")} closes it.`,
      t`${act("app.single_keys")} is off. Speech input and some screen readers want it so.`,
      t`The browser or the system takes the key for itself: choose another one.`,
    ),
  ],
  history: [
    p`${keys("history.undo")} takes back what you did last, ${
      keys("history.redo")
    } does it again. This covers what you told the studio: culling, heroes, settings, chosen takes, names, the trash, the order of the queue, people and workers.`,
    h`Nothing is lost by undoing`,
    p`History is a tree. If you undo and then do something else, that begins a branch, and both ways stay. Show the panel “History” in any area to see them:`,
    list(
      t`The arrows move, ${keys("history.go_to")} goes to a point, by undoing and redoing what lies between.`,
      t`${keys("history.name")} names a point, so that you find it again.`,
      t`The bright point is where you are. What is dim was undone.`,
    ),
    actions("history.undo", "history.redo"),
    h`What undo does not do`,
    list(
      t`It deletes no take, cut or picture: what was generated stays. What still runs is paused or cancelled first.`,
      t`What can't be taken back says so before it is done, with the words “This can't be undone”, and the history does not go past it.`,
    ),
    p`The history is yours and is kept with the workspace: it is there after a crash, and in another browser. Who did what in the whole studio is in the audit log: ${
      see("people")
    }.`,
  ],
  kept: [
    p`What you see is kept while you work: layouts, what is open, selection, filters, sorting, zoom, scroll, playhead, half-filled forms, the history. At once in this browser, and within two seconds in the studio. Sign in elsewhere, and it is as you left it.`,
    h`The word in the bar at the bottom`,
    list(
      t`“saved”: it is in the studio.`,
      t`“saving …”: it is on its way.`,
      t`“in this browser”: the studio is out of reach. Go on; it is sent when the studio is back.`,
    ),
    h`Two devices, two tabs`,
    p`Each tab has its own view, so two tabs do not disturb each other. Where two devices changed the same thing, the newest change counts and the other one is kept as a branch; the studio tells you.`,
    h`Uploads`,
    p`An upload that was cut off goes on where it stopped. Files of up to 64 MB go on by themselves even after the page was loaded again; larger ones you choose once more, and only what is missing is sent.`,
    h`When the studio does not answer`,
    p`A line at the top says so. What is on the screen can be looked at; other changes have to wait. The page tries again by itself.`,
    h`What does not come back`,
    p`Menus, the palette, the sheet of keys, questions before something dangerous, passwords, and files that you chose but did not send.`,
    actions("workspace.create", "go.account"),
  ],
  people: [
    p`Everybody has one role in the studio, and may have a smaller one in a project. A project's role can take rights away, never add any.`,
    list(
      t`Admin: everything, and alone adds workers, people and studio settings.`,
      t`Creator: makes and edits in the projects they are a member of, and has the right of final approval.`,
      t`Reviewer: sees, approves and rejects. They neither generate nor finalize.`,
    ),
    h`Letting somebody in`,
    steps(
      t`An admin chooses ${
        act("people.invite")
      }. The studio makes a link that works once and is shown only then; it sends no mail, so give them the link yourself.`,
      t`They choose their own password, of ten characters or more.`,
      t`Add them to a project: without that they see none.`,
    ),
    actions("people.invite", "members.add", "account.change_password"),
    h`If somebody can't get in`,
    list(
      t`A lost password: select them under People and make a new link.`,
      t`The link has ended or was used: make another one.`,
      t`They see no project: add them as a member.`,
      t`${act("people.suspend")} ends all sessions and tokens of a person at once. What they made stays.`,
    ),
    h`Who did what`,
    p`Every change is in the audit log, with who, what, when and from where. Admins find it as a tab under People. Your own sessions, with the browser and address of each, are under Account: end those that you do not know.`,
    actions("go.people", "go.account"),
  ],
  lan: [
    p`By itself the studio listens on its own machine only, at ${
      code("http://127.0.0.1:7420")
    }. To let others in, start it with an address of the network. It refuses that until there is an admin.`,
    lines("deno task start --host 0.0.0.0"),
    h`HTTPS and the certificate`,
    p`On the network the studio serves HTTPS only, with a certificate that it made itself. Browsers do not know it yet and warn. On each machine, once:`,
    steps(
      t`Open ${code("/trust")} on the studio's address, such as ${
        code("https://192.168.1.20:7420/trust")
      }, and accept the warning this one time.`,
      t`Download the certificate and install it as the page says for your system.`,
      t`Close the browser and open it again. The warning is gone.`,
    ),
    p`Without that, a browser may keep back the clipboard, the microphone and fast video.`,
    h`Usual problems`,
    list(
      t`“Port is taken”: another program uses it. Choose another with ${
        code("--port")
      }; below 1024 most systems refuse.`,
      t`Others can't reach it: check the firewall of the studio's machine, and that they type ${
        code("https")
      }.`,
      t`The warning came back: the studio has a new address or was set up anew. Open ${
        code("/trust")
      } again.`,
      t`${code("deno task doctor")} says what the machine offers, and how to mend what is missing.`,
    ),
    p`Nothing leaves your network: no fonts, no statistics, no update check.`,
  ],
  scripts: [
    p`Whatever the browser does goes through the HTTP API, and scripts can do the same. ${
      at("/api/docs")
    } describes it for people, ${at("/api/openapi.json")} for programs.`,
    h`A token`,
    p`Make an API token under Account. It is shown once. A token can do what its scopes say, and never more than you: read; submit, to make and generate; review; admin.`,
    actions("account.new_token", "go.account"),
    lines(
      "curl https://studio.lan:7420/api/projects \\",
      "  --cacert seedloop-authority.pem \\",
      "  -H 'authorization: Bearer TOKEN'",
    ),
    p`The certificate is at ${code("/trust/seedloop-authority.pem")}: ${see("lan")}.`,
    h`Good to know`,
    list(
      t`Errors have one form (RFC 9457): a sentence with the mend, the fields that are wrong, and an id for an admin.`,
      t`Most things that you make take an id of your own, a UUIDv7. Send the same request twice, and it is one thing.`,
      t`Long work answers 202 at once. Watch its job, or listen to ${
        code("/api/live")
      }, the same events that the browser gets.`,
      t`401: the token is wrong, revoked or has ended. 403: it lacks the scope, or you lack the right. 404 also stands for what is not yours.`,
      t`503 comes with ${code("Retry-After")}: wait so long and ask again.`,
    ),
    h`Without a browser`,
    p`The demo goes from a portrait to a delivered master with its documents, and has all the calls it takes in one file, ${
      code("tasks/demo/journey.ts")
    }:`,
    lines("deno task demo --portrait me.png --seconds 15 --out ./out --json"),
  ],
};
