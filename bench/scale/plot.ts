// A log-log plot with fitted powers, as SVG written by hand.

export type Point = { readonly x: number; readonly y: number }
export type Series = { readonly name: string; readonly colour: string; readonly points: readonly Point[] }

export type Fit = {
  readonly exponent: number
  readonly factor: number
  /** Standard error of the exponent; undefined for two points, through which every line goes. */
  readonly error: number | undefined
}

/** The power law y = factor * x^exponent nearest to the points (least squares of the logarithms). Undefined for less than two sizes. */
export function fitPower(points: readonly Point[]): Fit | undefined {
  const logs = points.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))
  const mean = (of: (log: Point) => number) => logs.reduce((sum, log) => sum + of(log), 0) / logs.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  if (logs.length < 2 || spread === 0) return undefined
  const exponent = logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread
  const residue = logs.reduce((sum, { x, y }) => sum + (y - meanY - exponent * (x - meanX)) ** 2, 0)
  const error = logs.length < 3 ? undefined : Math.sqrt(residue / (logs.length - 2) / spread)
  return { exponent, factor: Math.exp(meanY - exponent * meanX), error }
}

/** `1.06 ± 0.03`, with the standard error where there is one. */
export const exponentText = ({ exponent, error }: Fit): string =>
  `${exponent.toFixed(2)}${error === undefined ? '' : ` ± ${error.toFixed(2)}`}`

const [width, height] = [760, 460]
const box = { left: 70, right: 500, top: 44, bottom: 400 }

/** The picture: each series with its points and its fitted line; the exponents stand in the legend. */
export function plotSvg(title: string, xName: string, series: readonly Series[]): string {
  const drawn = series.map(({ points, ...rest }) => ({ ...rest, points: points.filter(({ x, y }) => x > 0 && y > 0) }))
  const all = drawn.flatMap(({ points }) => points)
  const [xRange, yRange] = [decades(all.map(({ x }) => x)), decades(all.map(({ y }) => y))]
  const toX = scaleOf(xRange, [box.left, box.right])
  const toY = scaleOf(yRange, [box.bottom, box.top])
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${box.left}" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...grid(xRange, toX, 'x'),
    ...grid(yRange, toY, 'y'),
    `<text x="${(box.left + box.right) / 2}" y="${box.bottom + 42}" text-anchor="middle">${escaped(xName)}</text>`,
    ...drawn.flatMap(({ name, colour, points }, index) => [
      ...points.map(({ x, y }) => `<circle cx="${round(toX(x))}" cy="${round(toY(y))}" r="4" fill="${colour}"/>`),
      ...fitted(points, colour, toX, toY),
      ...legend(name, colour, fitPower(points), index),
    ]),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

type Range = readonly [number, number]

/** Whole powers of ten around the values. */
function decades(values: readonly number[]): Range {
  const logs = values.map(Math.log10)
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
  return [low, high === low ? low + 1 : high]
}

const scaleOf =
  ([low, high]: Range, [from, to]: Range) =>
  (value: number): number =>
    from + ((Math.log10(value) - low) / (high - low)) * (to - from)

function grid([low, high]: Range, at: (value: number) => number, axis: 'x' | 'y'): readonly string[] {
  const parts: string[] = []
  for (let decade = low; decade <= high; decade++) {
    for (const step of decade === high ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const value = step * 10 ** decade
      const place = round(at(value))
      const colour = step === 1 ? '#999' : '#eee'
      parts.push(
        axis === 'x'
          ? `<line x1="${place}" y1="${box.top}" x2="${place}" y2="${box.bottom}" stroke="${colour}"/>`
          : `<line x1="${box.left}" y1="${place}" x2="${box.right}" y2="${place}" stroke="${colour}"/>`,
      )
      if (step !== 1) continue
      const text = value >= 1 ? value.toFixed(0) : String(Number(value.toPrecision(1)))
      parts.push(
        axis === 'x'
          ? `<text x="${place}" y="${box.bottom + 18}" text-anchor="middle">${text}</text>`
          : `<text x="${box.left - 8}" y="${place + 4}" text-anchor="end">${text}</text>`,
      )
    }
  }
  return parts
}

function fitted(
  points: readonly Point[],
  colour: string,
  toX: (x: number) => number,
  toY: (y: number) => number,
): readonly string[] {
  const fit = fitPower(points)
  if (fit === undefined) return []
  const xs = points.map(({ x }) => x)
  const end = (x: number) => `${round(toX(x))} ${round(toY(fit.factor * x ** fit.exponent))}`
  return [`<path d="M ${end(Math.min(...xs))} L ${end(Math.max(...xs))}" stroke="${colour}" stroke-width="1.5" fill="none"/>`]
}

function legend(name: string, colour: string, fit: Fit | undefined, index: number): readonly string[] {
  const y = box.top + 12 + index * 40
  const law = fit === undefined ? 'one size only' : `N to the ${exponentText(fit)}`
  return [
    `<circle cx="${box.right + 20}" cy="${y - 4}" r="5" fill="${colour}"/>`,
    `<text x="${box.right + 32}" y="${y}">${escaped(name)}</text>`,
    `<text x="${box.right + 32}" y="${y + 16}" fill="#555">${law}</text>`,
  ]
}

const round = (value: number): string => value.toFixed(1)
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
