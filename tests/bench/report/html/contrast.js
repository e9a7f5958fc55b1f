// Contrasts on a page, by WCAG 2.2: of every visible text with what is behind it, and of the colours of marks.
(() => {
  const numbers = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const linear = part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const luminance = colour => {
    const [red, green, blue] = numbers(colour).slice(0, 3).map(part => linear(part / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + .05) / (low + .05);
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour && (numbers(colour)[3] ?? 1) > .99) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const resolved = colour => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = colour;
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const variable = name => resolved(getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  const hasText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  const texts = [...document.querySelectorAll("body *:not(script, style)")].filter(e => e.checkVisibility() && hasText(e));
  const measured = texts.map(element => {
    const style = getComputedStyle(element), drawn = element instanceof SVGElement;
    const value = ratio(drawn ? style.fill : style.color, behind(drawn ? element.closest("figure") : element));
    return {value, element: element.outerHTML.slice(0, 80)};
  });
  const papers = [variable("--paper"), variable("--card")];
  return {
    count: texts.length,
    drawn: texts.filter(element => element instanceof SVGElement).length,
    faint: measured.filter(({value}) => value < 4.5),
    heat: [variable("--paper"), variable("--strong")].map(colour => ratio(variable("--ink"), colour)),
    marks: [...marks.map(resolved), variable("--accent"), variable("--faint")].flatMap(c => papers.map(p => ratio(c, p))),
  };
})()
