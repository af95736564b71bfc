// Sends files to the API: small ones as they are, large ones by a signed request.
"use strict";

const form = document.getElementById("upload");
const list = document.getElementById("sent");
const byName = { srt: "application/x-subrip", vtt: "text/vtt", md: "text/markdown", json: "application/json" };

const typeOf = (file) =>
  file.type || byName[file.name.split(".").pop().toLowerCase()] || "application/octet-stream";

function send(method, url, body, headers, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      let said = {};
      try { said = JSON.parse(request.responseText || "{}"); } catch { /* no JSON: a proxy spoke */ }
      if (request.status < 300) return resolve(said);
      const words = said.detail || said.message || `the server answered ${request.status}`;
      reject(new Error(said.hint ? `${words}; ${said.hint}` : words));
    });
    request.addEventListener("error", () => reject(new Error("the server did not answer")));
    request.send(body);
  });
}

const ours = () => (form.dataset.token ? { "X-CSRF-Token": form.dataset.token } : {});
const asJson = () => ({ ...ours(), "Content-Type": "application/json" });
const nothing = () => {};

async function sendSmall(file, isPublic, progress) {
  const about = new URLSearchParams({ label: file.name, visibility: isPublic ? "public" : "private" });
  return (await send("POST", `/v1/assets?${about}`, file, { ...ours(), "Content-Type": typeOf(file) }, progress)).asset_id;
}

async function sendLarge(file, isPublic, progress) {
  if (!window.crypto.subtle)
    throw new Error("a file of this size needs https, or a browser on the server's machine");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const promised = { media_type: typeOf(file), size_bytes: file.size, sha256, file_name: file.name };
  const upload = await send("POST", "/v1/uploads/presign", JSON.stringify(promised), asJson(), nothing);
  const there = new URL(upload.request.url, location.href);
  if (!there.pathname.startsWith("/v1/storage/"))
    throw new Error("this server keeps files elsewhere: send files of this size with the API or the client");
  await send(upload.request.method, there.pathname + there.search, file, upload.request.headers, progress);
  const done = await send("POST", `/v1/uploads/${upload.upload_id}/complete`, null, ours(), nothing);
  if (isPublic)
    await send("PUT", `/v1/assets/${done.asset_id}/visibility`, '{"visibility": "public"}', asJson(), nothing);
  return done.asset_id;
}

function row(file) {
  const item = document.createElement("li"), name = document.createElement("bdi");
  const bar = document.createElement("progress"), words = document.createElement("span");
  name.textContent = file.name;
  bar.max = file.size || 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `How much of ${file.name} was sent`);
  words.className = "fine";
  item.append(name, bar, words);
  list.append(item);
  return { item, bar, words };
}

async function sendOne(file, isPublic) {
  const { item, bar, words } = row(file);
  const progress = (count) => {
    bar.value = count;
    words.textContent = count < file.size ? `${Math.floor(100 * count / file.size)} %` : "being looked at …";
  };
  try {
    const way = file.size > Number(form.dataset.most) ? sendLarge : sendSmall;
    const id = await way(file, isPublic, progress);
    const link = document.createElement("a");
    link.href = `/ui/assets/${id}`;
    link.textContent = "It is there.";
    words.replaceChildren(link);
    return true;
  } catch (error) {
    item.className = "bad";
    bar.remove();
    words.textContent = error.message;
    return false;
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const files = Array.from(document.getElementById("files").files);
  const isPublic = document.getElementById("public").checked;
  const button = form.querySelector("button");
  button.disabled = true;
  let all = true;
  for (const file of files) all = (await sendOne(file, isPublic)) && all;
  button.disabled = false;
  form.reset();
  if (all) location.assign("/ui/assets");
});
