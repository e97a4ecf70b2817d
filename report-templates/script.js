// What the page can do beyond being read; without it nothing is missing.
(function () {
  "use strict";
  var root = document.documentElement;

  // A button that turns between light and dark.
  var line = document.querySelector(".running .line");
  if (line) {
    var tools = document.createElement("span");
    tools.className = "tools";
    var theme = document.createElement("button");
    theme.type = "button";
    theme.className = "tool";
    var dark = function () {
      return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    };
    var name = function () { theme.textContent = dark() ? "Light" : "Dark"; };
    theme.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      name();
    });
    name();
    var print = document.createElement("button");
    print.type = "button";
    print.className = "tool";
    print.textContent = "Print";
    print.addEventListener("click", function () { window.print(); });
    tools.append(print, theme);
    line.append(tools);
  }

  // A click on the head of a column sorts by it: by number where it holds numbers, else by text.
  var figure = function (cell) {
    var text = cell ? cell.textContent.trim() : "";
    if (/^none\b/.test(text)) { return [0, text]; }
    var match = /^[0-9][0-9,]*(\.[0-9]+)?/.exec(text);
    return [match ? Number(match[0].replace(/,/g, "")) : NaN, text];
  };
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = table.querySelectorAll("thead th");
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var body = table.tBodies[0];
        Array.from(body.rows).map(function (row) {
          return { row: row, value: figure(row.cells[column]) };
        }).sort(function (a, b) {
          var numbers = !isNaN(a.value[0]) && !isNaN(b.value[0]);
          var order = numbers ? a.value[0] - b.value[0] : a.value[1].localeCompare(b.value[1], "en-GB");
          return down ? -order : order;
        }).forEach(function (entry) { body.append(entry.row); });
      });
    });
  });

  // A field that leaves only the rules that hold what is typed.
  var rows = document.querySelectorAll("table.filterable tbody tr");
  var rules = document.getElementById("rules");
  if (rules && rows.length > 10) {
    var field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Filter the rules";
    field.setAttribute("aria-label", "Filter the rules");
    rules.querySelector("p").after(field);
    field.addEventListener("input", function () {
      var wanted = field.value.trim().toLowerCase();
      rows.forEach(function (row) {
        row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
      });
    });
  }
})();
