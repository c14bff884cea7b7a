// The agent's form: how much may still be written, what a topic brings, and words carried over to a case that is there already.
"use strict"
;(() => {
  const text = document.querySelector("[data-count]")
  const count = document.querySelector(".count")

  function tell() {
    const most = Number(text.dataset.count), written = text.value.length
    count.textContent = written + " / " + most
    count.classList.toggle("is-over", written > most)
  }
  if (text && count) { text.addEventListener("input", tell); tell() }

  // A topic chosen by search or in the tree brings its hints and its own fields.
  const topic = document.querySelector(".topic")
  const select = topic?.querySelector("select")
  select?.addEventListener("change", () => htmx.ajax("GET", topic.dataset.topicUrl + "?topic=" + encodeURIComponent(select.value), { target: "#topic-details", swap: "innerHTML" }))

  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-pick]")
    if (!choice || !select) return
    const option = [...select.options].find((one) => one.value === choice.dataset.pick) || new Option(choice.textContent, choice.dataset.pick)
    option.dataset.path = choice.dataset.path
    if (!option.parentNode) select.add(option)
    select.value = option.value
    topic.querySelector("input[role=combobox]").value = choice.dataset.path
    choice.closest(".topic-browse").open = false
    for (const kind of ["input", "change"]) select.dispatchEvent(new Event(kind, { bubbles: true }))
  })

  // What the caller said just now need not be typed again when it belongs to a case that is there already.
  let carry = false
  document.addEventListener("click", (event) => { if (event.target.closest("[hx-target='#drawer']")) carry = Boolean(event.target.closest("[data-carry-words]")) })
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!carry || event.detail.target?.id !== "drawer") return
    carry = false
    const box = event.detail.target.querySelector("textarea[name=text]")
    if (box && !box.value) box.value = text.value
  })
})()
