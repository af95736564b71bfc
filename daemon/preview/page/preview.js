"use strict";
// The page of `reelkiln preview`. The server says what there is to see (`/events`); a still of the
// frame at the playhead is shown at once, and the film takes its place as soon as it is there.

const at = (id) => document.getElementById(id);
const film = at("film"), still = at("still"), head = at("head"), roll = at("roll");

let number = 0;        // of the scene on the page
let scene = null;      // its facts: frames, fps, size
let frame = 0;         // where the playhead is
let hls = null;        // the player of this scene
let wantsToPlay = false;
let stillAsked = null; // the AbortController of the still that is on its way

const rate = () => scene.fps[0] / scene.fps[1];
const middleOf = (wanted) => (wanted + 0.5) / rate();
const clamp = (wanted) => Math.min(Math.max(0, wanted), scene.frames - 1);
const say = (words) => { at("status").textContent = words; };

// ---- the picture -----------------------------------------------------------------------------

async function showStill() {
  if (stillAsked) stillAsked.abort();
  const asked = stillAsked = new AbortController();
  try {
    const reply = await fetch(`/scene/${number}/frame/${frame}.jpg`, { signal: asked.signal });
    if (!reply.ok || asked !== stillAsked) return false;
    const url = URL.createObjectURL(await reply.blob());
    const fresh = new Image();
    fresh.src = url;
    await fresh.decode();
    if (asked !== stillAsked) { URL.revokeObjectURL(url); return false; }
    const old = still.src;
    still.src = url;
    still.hidden = false;
    if (old) URL.revokeObjectURL(old);
    const seen = { number, frame };
    requestAnimationFrame(() => performance.mark("still", { detail: seen }));
    return true;
  } catch (error) {
    if (error.name !== "AbortError") say("the preview does not answer");
    return false;
  }
}

function hideStill() {
  if (stillAsked) stillAsked.abort();
  stillAsked = null;
  still.hidden = true;
}

function isBuffered(time) {
  for (let n = 0; n < film.buffered.length; n++)
    if (film.buffered.start(n) <= time && time < film.buffered.end(n)) return true;
  return false;
}

function filmIsThere() {
  const shown = Math.floor(film.currentTime * rate() + 0.01);
  return hls && hls.scene === number && film.readyState >= 2 && !film.seeking && shown === frame;
}

function goTo(wanted) {
  if (!scene) return;
  frame = clamp(wanted);
  drawPlayhead();
  const time = middleOf(frame);
  if (hls && hls.scene === number) film.currentTime = time;
  if (!isBuffered(time) || !hls) showStill();
}

function attach() {
  if (hls) hls.destroy();
  const hours = 3600 * 1000;
  const patient = { default: { maxTimeToFirstByteMs: hours, maxLoadTimeMs: hours,
    timeoutRetry: null, errorRetry: null } };  // a segment is drawn while it is waited for
  hls = new Hls({
    enableWorker: false, startPosition: middleOf(frame), maxBufferLength: 12, maxMaxBufferLength: 12,
    backBufferLength: 60, maxBufferHole: 0.05, fragLoadPolicy: patient,
  });
  hls.scene = number;
  hls.on(Hls.Events.ERROR, (name, data) => { if (data.fatal) say(`the film stopped: ${data.details}`); });
  hls.loadSource(`/scene/${number}/film.m3u8`);
  hls.attachMedia(film);
}

// ---- playing ---------------------------------------------------------------------------------

function play() {
  if (!scene) return;
  if (frame >= scene.frames - 1) goTo(0);
  wantsToPlay = true;
  at("play").textContent = "Pause";
  film.play().catch(() => { if (!film.paused) pause(); });
}

function pause() {
  wantsToPlay = false;
  at("play").textContent = "Play";
  film.pause();
}

function step(frames) { pause(); goTo(frame + frames); }

function tick() {
  if (scene && wantsToPlay && !film.paused && !film.seeking && hls && hls.scene === number && film.readyState >= 2) {
    frame = clamp(Math.floor(film.currentTime * rate() + 0.01));
    hideStill();
    drawPlayhead();
  }
  requestAnimationFrame(tick);
}

film.addEventListener("seeked", () => { if (scene && filmIsThere()) hideStill(); });
film.addEventListener("loadeddata", () => { if (scene && filmIsThere()) hideStill(); });
film.addEventListener("waiting", () => say("drawing …"));
film.addEventListener("playing", () => say(""));
film.addEventListener("canplay", () => {
  say("");
  performance.mark("film", { detail: { number } });
  if (wantsToPlay) film.play().catch(() => {});
});
film.addEventListener("ended", () => { if (scene) { frame = scene.frames - 1; drawPlayhead(); } pause(); });

// ---- the timeline ----------------------------------------------------------------------------

function drawPlayhead() {
  const [left, right] = scene.ruler;
  head.style.left = `${100 * (left + (right - left) * frame / scene.frames)}%`;
  const fps = rate(), seconds = Math.floor(frame / fps + 1e-9);
  const rest = Math.floor(frame - seconds * fps + 1e-6);
  const two = (n) => String(n).padStart(2, "0");
  at("clock").textContent = `${Math.floor(seconds / 60)}:${two(seconds % 60)}.${two(rest)}`;
  at("frame").textContent = frame;
  const link = at("export");
  link.href = `/scene/${number}/still/${frame}.png`;
}

let chartAsked = 0;
function drawChartSoon() {
  clearTimeout(chartAsked);
  chartAsked = setTimeout(drawChart, 150);
}

async function drawChart() {
  const reply = await fetch(`/scene/${number}/chart.svg`).catch(() => null);
  if (!reply || !reply.ok) return;
  const picture = new DOMParser().parseFromString(await reply.text(), "image/svg+xml");
  at("chart").replaceChildren(document.importNode(picture.documentElement, true));
  head.hidden = false;
}

function frameAt(event) {
  const box = roll.getBoundingClientRect(), [left, right] = scene.ruler;
  const place = ((event.clientX - box.left) / box.width - left) / (right - left);
  return Math.floor(place * scene.frames);
}

roll.addEventListener("pointerdown", (event) => {
  if (!scene) return;
  pause();
  goTo(frameAt(event));
  roll.setPointerCapture(event.pointerId);
});
roll.addEventListener("pointermove", (event) => {
  if (scene && roll.hasPointerCapture(event.pointerId) && event.buttons && frameAt(event) !== frame)
    goTo(frameAt(event));
});

// ---- faults ----------------------------------------------------------------------------------

function line(words, kind, tag = "p") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = words;
  return made;
}

function listing(words) {
  const made = line(words, "", "pre");
  made.tabIndex = 0;  // wide ones are scrolled, by keys too
  return made;
}

function showError(error, title) {
  const box = at("faults"), made = [line(title, "", "h2")];
  const faults = error.errors.length ? error.errors : [error];
  for (const fault of faults) {
    const place = fault.line ? `line ${fault.line}, column ${fault.column}` : "";
    const where = (fault.pointer || "").slice(1);
    if (place || where) made.push(line([place, where].filter(Boolean).join(" · "), "place"));
    made.push(line(fault.message, "message"));
    if (fault.excerpt) made.push(listing(fault.excerpt));
    if (fault.hint) made.push(line(fault.hint, "hint"));
  }
  if (error.tail) made.push(listing(error.tail));
  box.replaceChildren(...made);
  box.hidden = false;
}

// ---- news ------------------------------------------------------------------------------------

async function newScene(told) {
  if (told.error) {
    showError(told.error, scene ? "Not valid yet; the picture is of what was" : "Not valid yet");
    say("");
    performance.mark("fault", { detail: { number: told.number } });
    return;
  }
  if (told.number === number) return;
  number = told.number;
  scene = told.film;
  at("faults").hidden = true;
  const fps = scene.fps[1] === 1 ? scene.fps[0] : rate().toFixed(3);
  at("name").textContent = document.title = scene.id;
  at("facts").textContent = `${scene.width}×${scene.height} · ${fps} fps · ${scene.duration}`;
  at("stage").style.aspectRatio = `${scene.width} / ${scene.height}`;
  at("warnings").replaceChildren(...scene.warnings.map((words) => line(words, "", "li")));
  at("warnings").hidden = !scene.warnings.length;
  frame = clamp(frame);
  drawPlayhead();
  say("drawing …");
  const mine = number;
  film.pause();  // wantsToPlay says whether it goes on
  await showStill();
  if (mine !== number) return;
  say("");
  drawChart();
  attach();
}

const news = new EventSource("/events");
news.addEventListener("scene", (event) => newScene(JSON.parse(event.data)));
news.addEventListener("drawn", drawChartSoon);
news.addEventListener("failure", (event) => showError(JSON.parse(event.data), "The drawing failed"));
news.addEventListener("error", () => say("the preview has ended; start it again to go on"));
news.addEventListener("open", () => { if (scene) say(""); });

// ---- keys and buttons ------------------------------------------------------------------------

function mute() {
  film.muted = !film.muted;
  at("mute").setAttribute("aria-pressed", film.muted);
  at("mute").textContent = film.muted ? "Unmute" : "Mute";
}

const toggle = () => (wantsToPlay ? pause() : play());
const keys = {
  ",": () => step(-1), ".": () => step(1), " ": toggle, m: mute, e: () => at("export").click(),
  ArrowLeft: () => step(-Math.round(rate())), ArrowRight: () => step(Math.round(rate())),
  Home: () => step(-Infinity), End: () => step(Infinity),
};
document.addEventListener("keydown", (event) => {
  const deed = keys[event.key];
  const itsOwn = event.target.closest(event.key === " " ? "button, a, pre" : "pre");
  if (!scene || !deed || itsOwn || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  deed();
});
at("play").addEventListener("click", toggle);
at("back").addEventListener("click", () => step(-1));
at("forward").addEventListener("click", () => step(1));
at("mute").addEventListener("click", mute);
requestAnimationFrame(tick);
