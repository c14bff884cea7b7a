// The agent's form: keys, what a topic brings, what of the caller's earlier cases is taken over, and words carried to a case that is there already.
"use strict"
;(() => {
  const form = document.querySelector(".intake-form")
  const text = form.elements.namedItem("text")
  const count = document.querySelector(".count")
  const { bind, composing } = window.minshengKeys
  const boxOf = (name) => form.querySelector(`select[name=${name}]`).closest("[data-tree]")

  function tell() {
    const most = Number(text.dataset.count), written = text.value.length
    count.textContent = written + " / " + most
    count.classList.toggle("is-over", written > most)
  }
  text.addEventListener("input", tell)
  tell()

  // ---- Enter goes on, as Tab does: it never sends a form that is half filled in ----
  const stops = () => [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button, summary:not(.topic-browse > *), a[href]")]
    .filter((one) => !one.hidden && !one.disabled && one.offsetParent !== null && (one.type !== "radio" || one.checked))
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || composing(event) || event.ctrlKey || event.altKey || event.metaKey) return
    if (!event.target.matches("input:not([type=file])")) return
    event.preventDefault()
    const all = stops()
    all[all.indexOf(event.target) + (event.shiftKey ? -1 : 1)]?.focus()
  })

  // ---- the answer at once ----
  const answer = form.querySelector("[data-answer]")
  bind({
    key: "Ctrl+Shift+Enter", words: "当场答复：写答复；写好了再按，一步办结", group: "表单", typing: true,
    act: (event) => {
      if (event.target.closest("form") !== form && event.target !== document.body) return false
      const box = form.elements.namedItem("answer")
      if (box.value.trim()) return form.requestSubmit(answer.querySelector("button"))
      answer.open = true
      box.focus()
    },
  })
  bind({ keys: ["Enter"], words: "到下一格（写字框里换行）", group: "表单" })

  // ---- a topic brings its usual kind, its hints and its own fields, from the list that the page has already ----
  const topic = form.querySelector(".topic")
  const topicBox = boxOf("topic")
  const select = topicBox.querySelector("select")
  const details = document.getElementById("topic-details")
  let kindChosen = false
  form.addEventListener("change", (event) => { if (event.target.name === "kind" && event.isTrusted) kindChosen = true })

  select.addEventListener("change", async () => {
    const chosen = select.value
    const row = chosen && await window.minshengTree.row(topicBox, chosen)
    if (select.value !== chosen) return
    if (chosen && !row) return htmx.ajax("GET", topic.dataset.topicUrl + "?topic=" + encodeURIComponent(chosen), { target: "#topic-details", swap: "innerHTML" })
    const kept = Object.fromEntries([...details.querySelectorAll("[name]")].map((field) => [field.name, field.value]))
    details.replaceChildren()
    if (!row) return
    if (row.brings) details.innerHTML = row.brings // drawn by our own server, with every value escaped
    else if (row.hints) details.append(hint(row.hints))
    details.querySelectorAll("[name]").forEach((field) => { field.value = kept[field.name] || "" })
    if (row.kind && !kindChosen) form.querySelector(`[name=kind][value=${row.kind}]`).checked = true
  })

  function hint(words) {
    const line = document.createElement("p"), mark = document.createElement("i")
    line.className = "topic-hint"
    mark.className = "ti ti-info-circle"
    mark.setAttribute("aria-hidden", "true")
    line.append(mark, words)
    return line
  }

  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-pick]")
    if (!choice) return
    window.minshengTree.choose(topicBox, { value: choice.dataset.pick, label: choice.textContent, path: choice.dataset.path })
    choice.closest(".topic-browse").open = false
    topicBox.querySelector("input").focus()
  })

  // ---- what the caller's card offers is taken over; the topics of this number come before the agent's usual ones ----
  const usual = topicBox.dataset.near || ""
  function nearTopics() {
    const ofNumber = document.querySelector("[data-caller-topics]")?.dataset.callerTopics || ""
    topicBox.dataset.near = [ofNumber, usual].filter(Boolean).join(",")
  }
  nearTopics()
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target?.id === "caller") nearTopics() })

  function fill(name, value) {
    const field = form.elements.namedItem(name)
    field.value = value
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }

  document.addEventListener("click", (event) => {
    const address = event.target.closest("[data-take-address]")
    if (address) {
      window.minshengTree.choose(boxOf("place"), { value: address.dataset.place, label: address.dataset.path, path: address.dataset.path })
      fill("address", address.dataset.address)
    } else if (event.target.closest("[data-take-name]")) takeName()
  })

  async function takeName() {
    const phone = form.elements.namedItem("phone")
    const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), Accept: "application/json" }
    const answer = await fetch(phone.dataset.nameUrl, { method: "POST", headers, body: new URLSearchParams({ phone: phone.value }), credentials: "same-origin" }).catch(() => null)
    if (answer?.ok) fill("name", (await answer.json()).name)
  }

  // ---- what the caller said just now need not be typed again when it belongs to a case that is there already ----
  let carry = false
  document.addEventListener("click", (event) => { if (event.target.closest("[hx-target='#drawer']")) carry = Boolean(event.target.closest("[data-carry-words]")) })
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!carry || event.detail.target?.id !== "drawer") return
    carry = false
    const box = event.detail.target.querySelector("textarea[name=text]")
    if (box && !box.value) box.value = text.value
  })
})()
