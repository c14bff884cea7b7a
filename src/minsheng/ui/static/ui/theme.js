// Before the first paint: the theme and text size this person chose on this machine.
(() => {
  const root = document.documentElement
  let theme, text
  try {
    theme = localStorage.getItem("minsheng.theme")
    text = localStorage.getItem("minsheng.text")
  } catch { /* storage refused: the defaults stand */ }
  root.dataset.bsTheme = theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")
  if (text) root.dataset.text = text
  root.classList.add("js")
})()
