// The staff pages' keys, refusals, and what keeps typed words from being lost. Plain script: no framework, no inline code.
"use strict"
const $ = (selector, root = document) => root.querySelector(selector)
const all = (selector, root = document) => [...root.querySelectorAll(selector)]
const store = {
  get(key) { try { return sessionStorage.getItem(key) } catch { return null } },
  set(key, value) { try { sessionStorage.setItem(key, value) } catch { /* storage refused: rows are not remembered */ } },
}

// ---- rows: j k Enter, and Back to the same row ----
const shown = (element) => element.offsetParent !== null
const rows = () => all("[data-row]").filter(shown)
const listKey = () => "minsheng.row." + ($("[data-list]")?.dataset.list || "")
const openLink = (row) => $("a", row)

function cursor() {
  return $("[data-row].is-cursor") || $("[data-row][aria-current]")
}

function moveTo(row) {
  if (!row) return
  all(".is-cursor").forEach((other) => other.classList.remove("is-cursor"))
  row.classList.add("is-cursor")
  openLink(row)?.focus({ preventScroll: true })
  row.scrollIntoView({ block: "nearest" })
  store.set(listKey(), row.id)
}

function step(by) {
  const list = rows()
  const at = list.indexOf(cursor())
  moveTo(at < 0 ? list[by > 0 ? 0 : list.length - 1] : list[Math.max(0, Math.min(list.length - 1, at + by))])
}

function returnToRow() {
  const id = location.hash.startsWith("#row-") ? location.hash.slice(1) : ""
  const row = (id && document.getElementById(id)) || $("[data-row][aria-current]")
  if (row && shown(row)) id ? moveTo(row) : row.scrollIntoView({ block: "nearest" })
}

// The rows stay as they are when the pane changes: only the mark of the open one moves.
function markOpen() {
  const number = $("#pane")?.dataset.open
  all("[data-row]").forEach((row) => {
    const open = Boolean(number) && row.id === "row-" + number
    row.classList.toggle("is-open", open)
    row.classList.remove("is-cursor")
    open ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current")
  })
}

// ---- keys ----
const { bind } = window.minshengKeys
const formOf = (target) => { const form = target.closest("form"); return form && form.method === "post" ? form : null }

// Ctrl+Enter presses the button of the part of the form that it is pressed in (data-sends), else the form's own (data-send), else just sends.
function send(event) {
  const form = formOf(event.target)
  if (!form) return false
  const part = event.target.closest("[data-sends]")
  form.requestSubmit(part ? $("button", part) : $("[data-send]", form))
}

bind({ key: "/", words: "到搜索框", when: () => $("#search"), act: () => $("#search").focus() })
bind({ key: "j", words: "下一行", group: "列表", when: () => rows().length, act: () => step(1) })
bind({ key: "k", words: "上一行", group: "列表", when: () => rows().length, act: () => step(-1) })
bind({ key: "Enter", words: "打开这一行", group: "列表", when: () => rows().length }) // the row's link has the focus
bind({ key: "e", words: "做第一个可做的操作", group: "诉求件", when: () => $("[data-actions] a, [data-actions] button"), act: () => $("[data-actions] a, [data-actions] button").click() })
bind({ key: "Ctrl+Enter", words: "提交正在填写的表单", group: "表单", typing: true, when: () => $("main form[method=post]"), act: send })
bind({ key: "Escape", keys: ["Esc"], words: "离开输入框，收起菜单（填写的内容不会丢）", group: "表单", typing: true, act: (event) => escape(event, typing(event.target)) })

const typing = (target) => target.closest("input, textarea, select, [contenteditable]")

// Esc closes menus and leaves a field; what was typed stays.
function escape(event, field) {
  hideWhy()
  const menu = event.target.closest("details.menu[open], details.more[open]")
  if (menu) { menu.open = false; $("summary", menu).focus() }
  else if (field && !field.closest("[role=combobox]")) field.blur()
  else return false
}

document.addEventListener("click", (event) => {
  all("details.menu[open], details.more[open]").forEach((menu) => { if (!menu.contains(event.target) || event.target.closest(".more a")) menu.open = false })
  const target = event.target.closest("[data-toggle-theme], [data-toggle-text], [data-close-drawer]")
  if (!target) return
  if (target.matches("[data-toggle-theme]")) remember("theme", "bsTheme", document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark")
  if (target.matches("[data-toggle-text]")) remember("text", "text", document.documentElement.dataset.text === "125" ? "100" : "125")
  if (target.matches("[data-close-drawer]") && $("#drawer")) closeDrawer(event, target)
})

function remember(key, attribute, value) {
  document.documentElement.dataset[attribute] = value
  try { localStorage.setItem("minsheng." + key, value) } catch { /* it lasts until the next page */ }
}

function closeDrawer(event, link) {
  event.preventDefault()
  const form = link.closest("form")
  if (form && !mayLeave(form)) return
  $("#drawer").replaceChildren()
  $("[data-actions] a")?.focus()
}

// ---- why: the sentence behind a time left, on hover, focus or press ----
let whyPop = null

function showWhy(summary) {
  const text = $(".why-text", summary.parentElement)
  if (!text) return
  if (!whyPop) {
    whyPop = document.createElement("div")
    whyPop.className = "why-pop"
    whyPop.popover = "manual"
    whyPop.setAttribute("aria-hidden", "true") // the details element itself is what a screen reader reads
    document.body.append(whyPop)
  }
  whyPop.textContent = text.textContent
  whyPop.showPopover()
  const at = summary.getBoundingClientRect(), size = whyPop.getBoundingClientRect()
  const below = at.bottom + 6 + size.height < innerHeight
  whyPop.style.left = Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8)) + "px"
  whyPop.style.top = (below ? at.bottom + 6 : at.top - size.height - 6) + "px"
}

function hideWhy() { whyPop?.matches(":popover-open") && whyPop.hidePopover() }

const whyOf = (event) => event.target.closest?.(".why > summary")
for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, (event) => { const summary = whyOf(event); if (summary) showWhy(summary) })
for (const kind of ["mouseout", "focusout"]) document.addEventListener(kind, (event) => { if (whyOf(event)) hideWhy() })
document.addEventListener("scroll", hideWhy, true)

// ---- nothing typed is lost ----
document.addEventListener("input", (event) => { const form = event.target.closest("form[data-keep]"); if (form) form.dataset.dirty = "1" })
document.addEventListener("submit", (event) => { delete event.target.dataset.dirty })
// What is kept as a draft (drafts.js) comes back by itself; files chosen do not.
const isKept = (form) => Boolean(form.dataset.kept) && !all("input[type=file]", form).some((field) => field.files.length)
addEventListener("beforeunload", (event) => { if (all("form[data-dirty]").some((form) => !isKept(form))) event.preventDefault() })

function mayLeave(root) {
  const form = root.matches("form[data-dirty]") ? root : $("form[data-dirty]", root)
  if (!form) return true
  if (form.dataset.draft && !all("input[type=file]", form).some((field) => field.files.length)) { document.dispatchEvent(new Event("drafts:flush")); return true }
  if (!confirm("这里还有没提交的内容，离开就没有了。仍要离开吗？")) return false
  delete form.dataset.dirty
  return true
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail
  if (target && !elt.closest("form") && !mayLeave(target)) event.preventDefault()
})

// ---- refusals land beside the form that caused them ----
const noticeFor = (element) => $("[data-notice]", element.closest("form") || document.createElement("i")) || $("#notice")

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail
  if (!xhr.getResponseHeader("X-Refusal")) return
  event.detail.shouldSwap = true
  event.detail.isError = false
  event.detail.target = noticeFor(requestConfig.elt)
  event.detail.swapOverride = "innerHTML"
  event.detail.selectOverride = "unset"
  const form = requestConfig.elt.closest("form[data-keep]")
  if (form) form.dataset.dirty = "1"
})

function say(element, sentence) {
  const slot = noticeFor(element), note = document.createElement("div"), text = document.createElement("p")
  note.className = "refusal"
  note.setAttribute("role", "alert")
  text.className = "refusal-text"
  text.textContent = sentence
  note.append(text)
  slot?.replaceChildren(note)
  const form = element.closest("form[data-keep]")
  if (form) form.dataset.dirty = "1"
}

document.addEventListener("htmx:responseError", (event) => say(event.detail.elt, "系统出错了，这一步没有完成。您填写的内容还在，请过一会儿再按一次；仍不行请联系系统管理员。"))
document.addEventListener("htmx:sendError", (event) => say(event.detail.elt, "网络不通，这一步还没有送出。您填写的内容还在，连上网后再按一次，不会重复。"))

document.addEventListener("htmx:afterSwap", (event) => {
  const fresh = $("[data-fresh-version]", event.detail.target)
  const version = fresh?.closest("form")?.elements.namedItem("version")
  if (version) version.value = fresh.dataset.freshVersion
  if (event.detail.target.id === "pane") markOpen()
})

document.addEventListener("htmx:afterSettle", (event) => {
  const { target, elt } = event.detail
  settle(target && target.isConnected ? target : elt) // an outerHTML swap has taken the target away
})

function settle(root) {
  const first = $("[data-focus]", root) || (root.id === "drawer" && $(".drawer-body :is(input:not([type=hidden]), select, textarea):not([hidden])", root))
  if (first) first.focus()
  else if (root.id === "pane") root.focus({ preventScroll: true })
}

// ---- files: what was chosen, with sizes ----
document.addEventListener("change", (event) => {
  const box = event.target.closest("[data-files]")
  if (!box || !event.target.files) return
  $("ul", box).replaceChildren(...[...event.target.files].map((file) => {
    const line = document.createElement("li")
    line.textContent = file.name + "　" + (file.size >= 1048576 ? (file.size / 1048576).toFixed(1) + " MB" : Math.max(1, Math.round(file.size / 1024)) + " KB")
    return line
  }))
})

returnToRow()
$("[data-focus]")?.focus()
