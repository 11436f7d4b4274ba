/** Three digits, in millions where there are any. */
export function figureText(figure) {
  if (figure >= 1e6) return `${(figure / 1e6).toPrecision(3)} M`;
  return figure >= 1000 ? Math.round(figure).toLocaleString('en') : figure.toPrecision(3);
}
