// Staff pages that follow the day. The event stream says what kind of thing happened, and to which of the cases shown here; the page
// then asks for its own parts anew and puts in what differs. What a person is doing stays: rows keep their place, focus, ticks and
// selection, an open form is never touched. Lights that turn by time alone turn here, by moments that the page knows.
//
// Tells other scripts: live:hello {stream}, live:present {case, people}, live:open, live:parts (something was put in).
"use strict"
const live = (() => {
  const main = document.querySelector("main[data-events]")
  const QUIET_MS = 600 // between two looks
  const LOST_MS = 4000 // before a lost connection is worth saying
  const RAIL_MS = 60000 // counts that change by time alone
  const BOARD_MS = 5000
  const one = (selector, root = document) => root.querySelector(selector)
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const shout = (name, detail) => document.dispatchEvent(new CustomEvent("live:" + name, { detail }))
  const rail = () => one("[data-rail]")
  let lastId = "", stream = null, lostTimer = null

  // ---- what is wanted, gathered ----
  const wanted = { rail: false, list: false, pane: false }
  let timer = null, dueAt = Infinity, looking = false, lookedAt = -Infinity

  function want(parts, wait = 0) {
    for (const part of parts) wanted[part] = true
    if (!parts.length || document.hidden) return
    const least = one("[data-live=board]") ? BOARD_MS : QUIET_MS
    const at = Math.max(performance.now() + wait, lookedAt + least)
    if (at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(look, at - performance.now())
  }

  async function look() {
    dueAt = Infinity
    if (looking) return want(Object.keys(wanted).filter((part) => wanted[part]), 50)
    const now = { ...wanted }
    Object.keys(wanted).forEach((part) => { wanted[part] = false })
    looking = true
    try {
      if (now.pane && shownCase()) await lookAtPane()
      if (now.list && one("[data-live]")) await lookAtList()
      else if (now.rail || now.list) await lookAtRail()
      shout("parts", {})
    } finally {
      looking = false
      lookedAt = performance.now()
    }
  }

  // X-Background: what the page asks by itself is no sign of a person, and does not put off the idle log-out.
  async function ask(url, part) {
    const columns = part === "list" && one("[data-live=rows][data-columns]")?.dataset.columns
    const headers = { "X-Background": "1", "X-After": lastId, ...(part ? { "X-Live": part } : {}), ...(typeof columns === "string" ? { "X-Columns": columns } : {}) }
    const answer = await fetch(url, { headers, credentials: "same-origin" }).catch(() => null)
    if (answer?.headers.get("X-Signed-Out")) { signedOut(); return null }
    return answer?.ok && !answer.redirected ? answer.text() : null
  }

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html")

  function address(drop) {
    const url = new URL(location.href)
    url.hash = ""
    drop.forEach((name) => url.searchParams.delete(name))
    return url
  }

  async function lookAtRail() {
    const html = rail() && await ask(`${rail().dataset.rail}?path=${encodeURIComponent(location.pathname)}`)
    if (html) putRail(html)
  }

  function putRail(html) {
    if (rail().innerHTML === html) return
    const at = rail().contains(document.activeElement) ? document.activeElement.id : ""
    rail().innerHTML = html
    if (at) document.getElementById(at)?.focus({ preventScroll: true })
  }

  // ---- the list and what stands around it ----
  async function lookAtList() {
    const html = await ask(address(["open", "history"]), "list")
    if (!html) return
    const page = parsed(html)
    const fresh = one("[data-rail]", page)
    if (fresh && rail()) putRail(fresh.innerHTML)
    for (const part of all("[data-live]", one("main", page) || page)) {
      const here = one(`[data-live="${part.dataset.live}"]`)
      if (here) part.dataset.live === "rows" ? putRows(here, part) : putWhole(here, part)
    }
  }

  function putWhole(here, fresh) {
    if (here.innerHTML === fresh.innerHTML || isInUse(here)) return
    const open = all("details", here).map((it) => it.open)
    const link = here.contains(document.activeElement) && document.activeElement.getAttribute("href")
    here.replaceChildren(...fresh.childNodes)
    all("details", here).forEach((it, n) => { if (open[n]) it.open = true })
    if (link) all("a", here).find((it) => it.getAttribute("href") === link)?.focus({ preventScroll: true })
    htmx.process(here)
  }

  // Something is being typed, chosen or marked in it: it waits for the next look.
  function isInUse(root) {
    const typing = (field) => field.matches("input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea") && field.value !== field.defaultValue
    const selection = getSelection()
    return all("input, textarea", root).some(typing) || (root.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))
      || (!selection.isCollapsed && root.contains(selection.anchorNode))
  }

  const rowsOf = (root) => one("ol.case-rows", root)
  const scroller = (element) => element.closest(".split-list") || document.scrollingElement
  // As the server drew it: without what this page has marked since.
  function drawn(row) {
    const copy = row.cloneNode(true)
    copy.classList.remove("is-open", "is-cursor", "is-arrived", "htmx-added", "htmx-swapping", "htmx-settling")
    copy.removeAttribute("aria-current")
    all(".case-row-who", copy).forEach((slot) => slot.replaceChildren())
    all("[open]", copy).forEach((it) => it.removeAttribute("open"))
    return copy.outerHTML
  }

  function putRows(here, fresh) {
    const old = rowsOf(here), next = rowsOf(fresh)
    if (!old || !next) return putWhole(here, fresh)
    const box = scroller(here), top = box.getBoundingClientRect().top
    const anchor = all("[data-row]", old).find((row) => row.getBoundingClientRect().bottom > Math.max(top, 0))
    const before = anchor?.getBoundingClientRect().top
    const focused = document.activeElement?.closest?.("[data-row]")
    const place = focused ? [...old.children].indexOf(focused) : -1
    const known = new Map(all(":scope > li[id]", old).map((row) => [row.id, row]))
    let arrived = 0, at = null
    for (const row of [...next.children]) {
      let mine = known.get(row.id)
      known.delete(row.id)
      if (!mine) { mine = document.adoptNode(row); mine.classList.add("is-arrived"); arrived += 1; place1(old, mine, at); htmx.process(mine) }
      else if (drawn(mine) !== drawn(row)) { const put = redraw(mine, document.adoptNode(row)); place1(old, put, at); mine = put }
      else place1(old, mine, at)
      at = mine
    }
    known.forEach((row) => row.remove())
    one(".pager", here)?.remove()
    if (one(".pager", fresh)) here.append(one(".pager", fresh))
    if (anchor?.isConnected && box.scrollTop > 0) box.scrollTop += anchor.getBoundingClientRect().top - before
    if (focused && !focused.isConnected && !old.contains(document.activeElement)) {
      const now = document.getElementById(focused.id) || old.children[Math.min(place, old.children.length - 1)]
      one("a", now || old)?.focus({ preventScroll: true })
    }
    if (arrived) one("#live-say").textContent = `列表新到 ${arrived} 件`
  }

  function place1(list, row, after) {
    const spot = after ? after.nextSibling : list.firstChild
    if (row !== spot) list.insertBefore(row, spot)
  }

  function redraw(old, row) {
    for (const name of ["is-open", "is-cursor"]) row.classList.toggle(name, old.classList.contains(name))
    if (old.hasAttribute("aria-current")) row.setAttribute("aria-current", "true")
    all("input[type=checkbox]", row).forEach((box) => {
      const was = all("input[type=checkbox]", old).find((other) => other.name === box.name && other.value === box.value)
      if (was) box.checked = was.checked
    })
    one(".case-row-who", row)?.replaceChildren(...(one(".case-row-who", old)?.childNodes || []))
    const had = old.contains(document.activeElement)
    old.replaceWith(row)
    htmx.process(row)
    if (had) one("a", row)?.focus({ preventScroll: true })
    return row
  }

  // ---- the open case ----
  const shownCase = () => one("article.case[data-watch]")
  const openForm = () => one("#drawer form.drawer")

  async function lookAtPane() {
    const here = shownCase(), token = here.dataset.watch
    // The form of an action may stand at an address of its own: what lies behind it is the case's page.
    const own = here.closest("#pane") ? address([]) : new URL(`/cases/${encodeURIComponent(here.dataset.case)}/${location.search}`, location.origin)
    const html = await ask(own, "pane")
    if (shownCase()?.dataset.watch !== token) return
    if (openForm()) await sayChanged(here)
    const page = html && parsed(html), fresh = page && one("article.case", page)
    if (!fresh) return
    if (fresh.dataset.watch !== token) return sayGone(here)
    if (fresh.dataset.version !== here.dataset.version) {
      putCase(here, fresh)
      if (here.closest("#pane")) putAround(one("#pane"), one("#pane", page))
    } else for (const part of [".case-side", ".case-main"]) putWhole(one(part, here), one(part, fresh))
  }

  function putCase(here, fresh) {
    const seen = new Set(all(".history li", here).map((entry) => entry.textContent))
    for (const part of [".case-head", ".case-side", ".case-main"]) putWhole(one(part, here), one(part, fresh))
    all(".history li", here).forEach((entry) => { if (!seen.has(entry.textContent)) entry.classList.add("is-arrived") })
    here.dataset.version = fresh.dataset.version
  }

  // What a desk puts above the case (proposals, a bar to read it with): drawn anew around it.
  function putAround(pane, fresh) {
    const others = (root) => [...root.children].filter((child) => !child.matches("article.case"))
    if (others(pane).some(isInUse)) return
    const markup = (root) => others(root).map((child) => child.outerHTML).join("")
    if (markup(pane) === markup(fresh)) return
    others(pane).forEach((child) => child.remove())
    const article = one("article.case", fresh)
    let before = true
    for (const child of [...fresh.children]) {
      if (child === article) { before = false; continue }
      before ? pane.insertBefore(child, one("article.case", pane)) : pane.append(child)
      htmx.process(child)
    }
  }

  function quiet(here, html) {
    const form = openForm()
    const slot = form || here
    one(":scope > .news-slot", slot)?.remove()
    const news = document.createElement("div")
    news.className = "news-slot"
    news.setAttribute("role", "status")
    news.innerHTML = html
    form ? one(".drawer-head", form).after(news) : here.prepend(news)
  }

  // Beside the open form: what changed since it was opened. Looking at it is having seen it, so the form may then be sent.
  async function sayChanged(here) {
    const version = openForm()?.elements.namedItem("version")
    if (!version) return
    const html = await ask(`/cases/${encodeURIComponent(here.dataset.case)}/since/?version=${version.value}`)
    if (html?.trim() && openForm()) quiet(here, html)
  }

  document.addEventListener("toggle", (event) => {
    const news = event.target
    const version = news.matches?.(".news[open]") && news.closest("form")?.elements.namedItem("version")
    if (version) version.value = news.dataset.seenVersion
  }, true)

  function sayGone(here) {
    if (openForm()) return // its own refusal will say what came between
    quiet(here, '<p class="news news-gone"><span></span> <a></a></p>')
    one(".news-gone span", here).textContent = "这件诉求已由同事处理，不在这个列表里了。"
    const link = one(".news-gone a", here)
    link.href = `/cases/${encodeURIComponent(here.dataset.case)}/`
    link.textContent = "看它现在的情况"
  }

  // ---- lights that turn by time ----
  const skew = main ? main.dataset.now * 1000 - Date.now() + performance.now() : 0 // the server's clock, not this machine's
  function turn() {
    const now = (Date.now() + skew) / 1000
    let turned = false
    all("[data-turns]").forEach((place) => {
      const moments = place.dataset.turns.split(" ").filter(Boolean).map((it) => it.split(":"))
      const over = moments.filter(([at]) => at <= now)
      if (!over.length) return
      place.dataset.turns = moments.slice(over.length).map((it) => it.join(":")).join(" ")
      setLight(place, over.at(-1)[1])
      turned = true
    })
    if (turned) want(["rail", "list", "pane"], 500 + Math.random() * 4000) // its place in the list, the words beside it, the counts
  }

  function setLight(place, name) {
    const light = one("#lights")?.content.querySelector(".light-" + name)
    if (light) one("svg.light", place)?.replaceWith(light.cloneNode(true))
    for (const kind of ["left", "clock"]) all(`[class*="${kind}-"]`, place).concat(place).forEach((element) => {
      for (const other of ["none", "yellow", "orange", "red"]) if (element.classList.contains(`${kind}-${other}`)) element.classList.replace(`${kind}-${other}`, `${kind}-${name}`)
    })
  }

  // ---- the stream ----
  const stirred = (place, words) => {
    const stirs = place?.dataset.stirs ?? "*"
    return stirs === "*" || words.some((word) => stirs.split(" ").includes(word))
  }

  function hear(tick) {
    const cases = new Set(tick.cases), parts = []
    const rowsTouched = all("[data-row][data-watch]").some((row) => cases.has(row.dataset.watch))
    if (tick.again || stirred(rail(), tick.words)) parts.push("rail")
    if (tick.again || stirred(main, tick.words) || rowsTouched) parts.push("list")
    if (tick.again || cases.has(shownCase()?.dataset.watch)) parts.push("pane")
    want(parts, tick.wait)
  }

  function connect() {
    const url = new URL(main.dataset.events, location.href)
    if (lastId) url.searchParams.set("last", lastId)
    else url.searchParams.set("age", Math.ceil(performance.now() / 1000) + 1)
    stream = new EventSource(url, { withCredentials: true })
    stream.addEventListener("open", () => { clearTimeout(lostTimer); lostTimer = null; one("#live-lost").hidden = true; shout("open", {}) })
    stream.addEventListener("hello", (event) => { lastId ||= event.lastEventId; main.dataset.stream = "open"; shout("hello", JSON.parse(event.data)) })
    stream.addEventListener("tick", (event) => { lastId = event.lastEventId; hear(JSON.parse(event.data)) })
    stream.addEventListener("present", (event) => shout("present", JSON.parse(event.data)))
    stream.addEventListener("error", lost)
  }

  function lost() {
    main.dataset.stream = "lost"
    lostTimer ??= setTimeout(() => { one("#live-lost").hidden = false }, LOST_MS)
    if (stream.readyState !== EventSource.CLOSED) return // it comes back by itself
    const gone = stream
    setTimeout(() => { if (stream === gone) connect() }, 3000 + Math.random() * 4000)
  }

  function signedOut() {
    stream?.close()
    stream = null
    clearTimeout(lostTimer)
    one("#live-lost").hidden = true
    const notice = document.getElementById("notice")
    if (notice) notice.textContent = "您已有一段时间没有操作，需要重新登录。正在填写的内容会保留到登录之后。"
  }

  if (main && window.EventSource) {
    connect()
    setInterval(turn, 2000)
    setInterval(() => want(stream?.readyState === EventSource.OPEN ? ["rail"] : ["rail", "list", "pane"], Math.random() * 5000), RAIL_MS)
    document.addEventListener("visibilitychange", () => { if (!document.hidden) { turn(); want(Object.keys(wanted).filter((part) => wanted[part]).concat("rail")) } })
    addEventListener("pagehide", () => stream?.close())
    addEventListener("pageshow", (event) => { if (event.persisted) connect() })
  }
  return { ask, quiet, shownCase, openForm, one, all, put: putWhole }
})()
