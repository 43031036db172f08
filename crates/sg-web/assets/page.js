// What pages do beyond HTML: copy buttons, and asking before something is deleted. Without this file every page still works.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  // Browsers offer the clipboard to secure pages only; elsewhere the text can still be selected.
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying was refused";
    }
    setTimeout(() => (button.textContent = label), 2000);
  });
}

// A link to a folded place opens what it lies in.
const reveal = () => {
  let at = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!at) return;
  for (let node = at; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  at.scrollIntoView();
};
addEventListener("hashchange", reveal);
reveal();
