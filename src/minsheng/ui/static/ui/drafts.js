// Nothing typed is lost: forms with data-draft are kept on the server, two seconds after the typing pauses, and offered again when the
// form is opened again. Where the server does not answer, this browser keeps them: encrypted with a key that the server gave this
// person, until it answers again or the person signs out. A draft that is open in another window is left to it.
"use strict"
;(() => {
  const main = document.querySelector("main[data-drafts]")
  if (!main) return
  const PAUSE_MS = 1800
  const LOCAL_MS = 400
  const RETRY_MS = 5000
  const NEVER = new Set(["csrfmiddlewaretoken", "submission", "version", "draft_of"])
  const prefix = `minsheng.draft.${main.dataset.person}.`
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const valueOf = (form, name) => form.elements.namedItem(name)?.value || ""
  const csrf = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || ""
  const open = new Map() // form element -> {saving, local, dirty}

  // ---- this browser's own store ----
  const store = {
    key: null,
    closed: false, // the person signs out: what was being sealed at that moment is not put down behind their back
    async cipher() {
      if (!crypto.subtle) return null // not over plain HTTP from another machine: then only the server keeps drafts
      const raw = Uint8Array.from(atob(main.dataset.draftKey), (c) => c.charCodeAt(0))
      return (this.key ??= await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]))
    },
    async put(draft) {
      const key = await this.cipher()
      if (!key) return false
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(draft))))
      const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
      if (this.closed) return false
      try { localStorage.setItem(prefix + draft.submission, text(iv) + "." + text(sealed)); return true } catch { return false }
    },
    async get(name) {
      const key = await this.cipher()
      const [iv, sealed] = (localStorage.getItem(name) || ".").split(".").map((part) => Uint8Array.from(atob(part), (c) => c.charCodeAt(0)))
      try { return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed))) } catch { return null }
    },
    drop(submission) { localStorage.removeItem(prefix + submission) },
    names: () => { try { return Object.keys(localStorage).filter((name) => name.startsWith(prefix)) } catch { return [] } },
  }

  const send = (url, body, keepalive = false) => fetch(url, {
    method: "POST", body: JSON.stringify(body), credentials: "same-origin", keepalive,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf(), "X-Background": "1" },
  }).then((answer) => answer.status === 204, () => false)

  // ---- what stands in a form ----
  function fieldsOf(form) {
    const found = []
    for (const field of form.elements) {
      if (!field.name || NEVER.has(field.name) || ["file", "submit", "button", "password", "hidden"].includes(field.type)) continue
      if (["radio", "checkbox"].includes(field.type)) { if (field.checked) found.push([field.name, field.value]); continue }
      if (field.matches("select") && field.value) found.push([field.name, field.value, field.selectedOptions[0]?.dataset.path || field.selectedOptions[0]?.textContent.trim() || ""])
      else if (field.value) found.push([field.name, field.value])
    }
    return found
  }

  const hasFiles = (form) => all("input[type=file]", form).some((field) => field.files.length)
  const draftOf = (form) => ({
    form: form.dataset.draft, submission: valueOf(form, "submission"), version: Number(valueOf(form, "version")) || null,
    fields: fieldsOf(form), files: hasFiles(form), at: Date.now(),
  })

  // ---- keeping ----
  document.addEventListener("input", (event) => { if (event.isTrusted || !restoring) typed(event.target) })
  document.addEventListener("change", (event) => { if (event.isTrusted || !restoring) typed(event.target) })
  let restoring = false

  function typed(target) {
    const form = target.closest?.("form[data-draft]")
    if (!form || target.type === "file") return
    const state = stateOf(form)
    delete form.dataset.kept
    clearTimeout(state.local)
    clearTimeout(state.timer)
    state.local = setTimeout(() => keepHere(form), LOCAL_MS)
    state.timer = setTimeout(() => keep(form), PAUSE_MS)
  }

  function stateOf(form) {
    if (!open.has(form)) open.set(form, {})
    return open.get(form)
  }

  async function keepHere(form) {
    if (form.isConnected && await store.put(draftOf(form))) form.dataset.kept = "here"
  }

  async function keep(form) {
    if (!form.isConnected || form.dataset.sent) return
    const state = stateOf(form), draft = draftOf(form)
    clearTimeout(state.timer)
    const { at, ...body } = draft
    const done = await send(main.dataset.drafts, body)
    if (!form.isConnected || form.dataset.sent) return
    if (done) {
      if (JSON.stringify(fieldsOf(form)) === JSON.stringify(draft.fields)) { store.drop(draft.submission); form.dataset.kept = "there" }
      tell(form, `草稿已保存 ${new Date().toTimeString().slice(0, 5)}`)
    } else {
      const here = await store.put(draftOf(form))
      if (here) form.dataset.kept = "here"
      tell(form, here ? "服务器没有回应：草稿暂存在这台电脑上，连上后自动保存" : "服务器没有回应，草稿还没有保存")
      state.timer = setTimeout(() => keep(form), RETRY_MS)
    }
  }

  function tell(form, words) {
    let slot = form.querySelector("[data-draft-state]")
    if (!slot) {
      slot = document.createElement("span")
      slot.className = "draft-state"
      slot.dataset.draftState = ""
      slot.setAttribute("role", "status")
      const foot = form.querySelector(".drawer-foot, .intake-foot, footer") || form
      foot.append(slot)
    }
    if (slot.textContent !== words) slot.textContent = words
  }

  // ---- offering again ----
  const held = new Set()
  // True for the one window that has this draft; it has it until it closes.
  const hold = (submission) => held.has(submission) ? true : !navigator.locks ? true : new Promise((done) => {
    navigator.locks.request("minsheng.draft." + submission, { ifAvailable: true }, (lock) => {
      done(Boolean(lock))
      if (!lock) return null
      held.add(submission)
      return new Promise((release) => { releases.set(submission, release) })
    })
  })
  const releases = new Map()

  function release(submission) {
    releases.get(submission)?.()
    releases.delete(submission)
    held.delete(submission)
  }

  async function adopt(form) {
    if (form.dataset.adopted) return
    form.dataset.adopted = "1"
    for (const [other, state] of open) if (!other.isConnected) { clearTimeout(state.timer); clearTimeout(state.local); open.delete(other); release(state.submission) }
    const state = stateOf(form)
    state.submission = valueOf(form, "submission")
    await hold(state.submission)
    if (form.querySelector(".error-summary")) return // it came back with what was typed, and stays the same draft
    const draft = await found(form)
    if (!draft || form.dataset.dirty) return
    release(state.submission)
    form.elements.namedItem("submission").value = state.submission = draft.submission
    restore(form, draft)
  }

  async function found(form) {
    const url = `${main.dataset.drafts}?form=${encodeURIComponent(form.dataset.draft)}`
    const answer = await fetch(url, { credentials: "same-origin", headers: { "X-Background": "1" } }).catch(() => null)
    const offered = answer?.ok && !answer.redirected ? (await answer.json()).drafts : []
    for (const draft of offered) if (draft.fields.length && await hold(draft.submission)) return draft
    return null
  }

  function restore(form, draft) {
    // What the pressed button filled in is newer than the draft (a dispatcher's 1, 2, 3).
    const pressed = new Set(new URL(form.action, location.href).searchParams.keys())
    const values = new Map()
    for (const [name, ...rest] of draft.fields) values.set(name, [...(values.get(name) || []), rest])
    const put = () => {
      restoring = true
      for (const field of form.elements) if (field.name && !field.dataset.restored && !pressed.has(field.name) && !NEVER.has(field.name) && !["file", "submit", "button", "hidden"].includes(field.type)) {
        field.dataset.restored = "1"
        fill(field, values.get(field.name))
      }
      restoring = false
    }
    put()
    // Fields that follow from others (a topic's own) come a moment later.
    const later = (event) => { if (!form.isConnected) document.removeEventListener("htmx:afterSettle", later); else if (form.contains(event.target)) put() }
    document.addEventListener("htmx:afterSettle", later)
    form.dataset.dirty = "1"
    form.dataset.kept = "there"
    note(form, draft)
    const version = form.elements.namedItem("version")
    if (version && draft.version && draft.version < Number(version.value)) changedSince(form, draft.version)
  }

  function fill(field, given) {
    if (["radio", "checkbox"].includes(field.type)) {
      const wanted = Boolean(given?.some(([value]) => value === field.value))
      if (field.checked === wanted) return
      field.checked = wanted
    } else if (given) {
      const [value, label] = given[0]
      if (field.value === value) return
      if (field.matches("select") && ![...field.options].some((option) => option.value === value)) {
        const option = new Option(label || value, value)
        option.dataset.path = label || value
        field.add(option)
      }
      field.value = value
      const box = field.closest("[data-tree]")?.querySelector("input[role=combobox]")
      if (box) box.value = label || field.selectedOptions[0]?.textContent.trim() || ""
    } else return
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }))
  }

  function note(form, draft) {
    const line = document.createElement("p"), drop = document.createElement("button")
    line.className = "draft-note"
    line.setAttribute("role", "status")
    line.textContent = `已恢复 ${draft.saved} 的草稿${draft.files ? "，附件需要重新选择" : ""} `
    drop.type = "button"
    drop.className = "linkish"
    drop.textContent = "不用它"
    drop.addEventListener("click", () => dropDraft(form))
    line.append(drop)
    const head = form.querySelector(".drawer-head")
    head ? head.after(line) : form.prepend(line)
  }

  async function dropDraft(form) {
    const body = { form: form.dataset.draft, submission: valueOf(form, "submission") }
    form.dataset.sent = "1"
    delete form.dataset.dirty
    store.drop(body.submission)
    if (!await send(main.dataset.drafts + "drop/", body)) { delete form.dataset.sent; return tell(form, "服务器没有回应，草稿还在") }
    if (form.closest("#drawer")) htmx.ajax("GET", form.getAttribute("action"), { target: "#drawer" })
    else location.reload()
  }

  async function changedSince(form, version) {
    const here = live.shownCase()
    const html = here && await live.ask(`/cases/${encodeURIComponent(here.dataset.case)}/since/?version=${version}`)
    if (html?.trim()) live.quiet(here, html.replace("本件刚有变化", "写草稿之后本件有变化"))
  }

  // ---- sent, or left ----
  document.addEventListener("submit", (event) => {
    const form = event.target
    if (/\/logout\/$/.test(form.getAttribute("action") || "")) { store.closed = true; return store.names().forEach((name) => localStorage.removeItem(name)) }
    if (form.matches("[data-draft]")) { const state = stateOf(form); clearTimeout(state.timer); clearTimeout(state.local); keepHere(form) }
  })
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt
    if (!form.matches?.("form[data-draft]")) return
    const { xhr } = event.detail
    if (xhr.status >= 200 && xhr.status < 400 && !xhr.getResponseHeader("X-Refusal")) { form.dataset.sent = "1"; delete form.dataset.dirty; store.drop(valueOf(form, "submission")) }
    else keep(form)
  })

  function flush(keepalive) {
    for (const form of open.keys()) if (form.isConnected && form.dataset.dirty && form.dataset.kept !== "there" && !form.dataset.sent) {
      const { at, ...body } = draftOf(form)
      send(main.dataset.drafts, body, keepalive).then((done) => { if (done) store.drop(body.submission) })
    }
  }
  document.addEventListener("drafts:flush", () => flush(false))
  addEventListener("pagehide", () => flush(true))

  // What was kept here while nobody answered goes to the server as soon as it does, unless its form is open: then that form sends it.
  let pushing = false
  async function push() {
    if (pushing) return
    pushing = true
    for (const name of store.names()) {
      const submission = name.slice(prefix.length), draft = await store.get(name)
      if (held.has(submission)) continue
      if (!draft) { localStorage.removeItem(name); continue }
      if (await hold(submission)) {
        if (await send(main.dataset.drafts, draft)) store.drop(submission)
        release(submission)
      }
    }
    pushing = false
  }

  const look = async () => { await push(); all("form[data-draft]").forEach(adopt) }
  document.addEventListener("live:open", () => { push(); for (const form of open.keys()) if (form.dataset.dirty && form.dataset.kept === "here") keep(form) })
  document.addEventListener("htmx:afterSettle", () => all("form[data-draft]").forEach(adopt))
  look()
})()
