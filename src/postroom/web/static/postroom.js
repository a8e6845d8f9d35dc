// What pages can do beyond plain HTML. Each page works without this file; nothing here decides or keeps anything.
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- Palette: Ctrl K opens it, arrows choose, Enter goes, Escape closes and focus goes back. ----
  const palette = one("#palette");
  if (palette) {
    const input = one("#palette-q"), list = one("#palette-list"), told = one("#palette-told");
    const options = () => all('[role=option]:not([aria-disabled=true])', list);
    let opener = null;

    const choose = (option) => {
      all("[aria-selected=true]", list).forEach((was) => was.setAttribute("aria-selected", "false"));
      if (!option) return input.removeAttribute("aria-activedescendant");
      option.setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    };
    const open = () => {
      if (palette.open) return;
      opener = document.activeElement;
      palette.showModal();
      input.select();
      input.dispatchEvent(new CustomEvent("palette-open"));
    };
    const move = (by) => {
      const found = options();
      if (!found.length) return;
      const now = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
      choose(found[(now + by + found.length) % found.length]);
    };
    const go = (option) => { if (option?.dataset.href) location.assign(option.dataset.href); };

    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open();
      }
    });
    one("#kbar")?.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open();
    });
    input.addEventListener("keydown", (event) => {
      const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => go(one("[aria-selected=true]", list)) };
      if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    });
    list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
    list.addEventListener("htmx:afterSwap", () => {
      const found = options();
      input.setAttribute("aria-expanded", String(list.childElementCount > 0));
      told.textContent = found.length ? `${found.length} found` : list.textContent.trim();
      choose(found[0]);
    });
    palette.addEventListener("close", () => opener?.focus());
    palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
  }

  // ---- After a swap: focus goes to the new error or heading, results are told, a new dialog opens. ----
  document.addEventListener("htmx:afterSettle", (event) => {
    const swapped = event.detail.elt, asked = event.detail.requestConfig?.elt;
    const dialog = swapped.matches?.("dialog.dlg") ? swapped : one("dialog.dlg", swapped);
    if (dialog && dialog !== palette) return show(dialog, asked);
    if (asked?.dataset?.tell) {
      one("[data-told]", asked).textContent = one(asked.dataset.tell)?.textContent ?? "";
      return;
    }
    if (palette?.open || swapped.closest?.("[data-quiet]")) return;
    (one("[role=alert][tabindex]", swapped) ?? one("h1, h2[tabindex]", swapped))?.focus();
  });

  // ---- Questions: a native dialog; its "keep" link closes it where the page behind is the one it leads to. ----
  function show(dialog, opener) {
    dialog.addEventListener("close", () => { opener?.focus(); dialog.remove(); }, { once: true });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      if (event.target.closest("[data-close]")) { event.preventDefault(); dialog.close(); }
    });
    dialog.showModal();
  }

  // ---- The scope menu closes on Escape and when one goes elsewhere. ----
  const scope = one("details.scope");
  if (scope) {
    const shut = () => { scope.open = false; };
    scope.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && scope.open) { shut(); one("summary", scope).focus(); }
    });
    document.addEventListener("click", (event) => { if (!scope.contains(event.target)) shut(); });
    scope.addEventListener("focusout", (event) => { if (event.relatedTarget && !scope.contains(event.relatedTarget)) shut(); });
  }

  // ---- Choosing rows. ----
  const boxes = (form) => all("tbody input[type=checkbox]", form);
  const counted = (form) => {
    const chosen = boxes(form).filter((box) => box.checked).length, every = one("[data-all]", form);
    one("[data-chosen]", form).textContent = `${chosen} chosen`;
    every.checked = chosen > 0 && chosen === boxes(form).length;
    every.indeterminate = chosen > 0 && !every.checked;
  };
  const ready = (root) => {
    all("[data-all]", root).forEach((box) => { box.hidden = false; counted(box.form); });
    all("[data-copy]", root).forEach((button) => { button.hidden = false; });
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-choose]");
    if (!form) return;
    if (event.target.matches("[data-all]")) boxes(form).forEach((box) => { box.checked = event.target.checked; });
    counted(form);
  });
  document.addEventListener("reset", (event) => {
    if (event.target.matches("[data-choose]")) setTimeout(() => counted(event.target));
  });
  document.addEventListener("htmx:load", (event) => ready(event.detail.elt));

  // ---- Repeated rows of a form, and copying. ----
  let rows = Date.now();
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add]"), drop = event.target.closest("[data-drop]");
    const copy = event.target.closest("[data-copy]");
    if (add) {
      event.preventDefault();
      const blank = one("template[data-blank]", add.closest("[data-rows]"));
      const made = document.createElement("div");
      made.innerHTML = blank.innerHTML.replaceAll("__n__", String(rows++));
      const row = made.firstElementChild;
      blank.before(row);
      one("input, select, textarea", row)?.focus();
    }
    if (drop) {
      const set = drop.closest("[data-rows]");
      drop.closest(".rowset").remove();
      one("[data-add]", set).focus();
    }
    if (copy) {
      const field = one(copy.dataset.copy), told = one("[data-told]", copy.closest("section"));
      field.select();
      navigator.clipboard.writeText(field.value).then(() => { told.textContent = "Copied"; });
    }
  });

  // ---- What runs out counts down; the page says until when, and the server decides. ----
  const left = all("[data-left]"), drawn = Date.now();
  if (left.length) setInterval(() => left.forEach((timer) => {
    const seconds = Math.max(Number(timer.dataset.left) - Math.floor((Date.now() - drawn) / 1000), 0);
    const minutes = Math.floor(seconds / 60);
    timer.textContent = seconds ? `${minutes ? `${minutes} min ` : ""}${seconds % 60} s left` : "over";
  }), 1000);

  // ---- At load: an error note takes the focus, so that it is read first. ----
  ready(document);
  one("[data-focus]")?.focus();
})();
