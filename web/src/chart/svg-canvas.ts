/** What of the style sheet a drawing needs, since a picture of it has none. */
const STYLES = ['fill', 'stroke', 'stroke-width', 'opacity', 'font-family', 'font-size'] as const;

/** Paints a drawing of the page, as it looks there, onto a canvas of its own. @throws {Error} when the browser cannot. */
export async function svgCanvas(drawing: SVGSVGElement): Promise<HTMLCanvasElement> {
  const { width, height } = drawing.getBoundingClientRect();
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  const copies = [...copy.querySelectorAll<SVGElement>('*')];
  for (const [index, element] of [...drawing.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(element);
    for (const name of STYLES) copies[index]!.setAttribute(name, style.getPropertyValue(name));
  }
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
