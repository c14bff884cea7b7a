// Counts that follow the day: the event stream says “look again”, the rail is fetched anew, at most once a second.
"use strict"
;(() => {
  const place = document.querySelector("[data-events]")
  if (!place || !window.EventSource) return
  const QUIET_MS = 1000
  const POLL_MS = 30000
  let waiting = null

  async function refresh() {
    waiting = null
    const rail = document.querySelector("[data-rail]")
    if (!rail || document.hidden) return
    // X-Background: what the page asks by itself is no sign of a person, and does not put off the idle log-out.
    const answer = await fetch(`${rail.dataset.rail}?path=${encodeURIComponent(location.pathname)}`, {
      headers: { "X-Background": "1" }, credentials: "same-origin",
    }).catch(() => null)
    if (!answer) return
    if (answer.headers.get("X-Signed-Out")) return signedOut()
    if (answer.ok) rail.innerHTML = await answer.text()
  }

  function signedOut() {
    stream.close()
    const notice = document.getElementById("notice")
    if (notice) notice.textContent = "您已有一段时间没有操作，需要重新登录。正在填写的内容会保留到登录之后。"
  }

  const ask = () => { waiting ??= setTimeout(refresh, QUIET_MS) }
  const stream = new EventSource(place.dataset.events, { withCredentials: true })
  stream.addEventListener("tick", ask)
  // Where the stream cannot be had, looking now and then does.
  setInterval(() => { if (stream.readyState !== EventSource.OPEN) ask() }, POLL_MS)
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask() })
})()
