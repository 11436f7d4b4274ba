// Machines are noisy: contenders take turns in short rounds, and medians over the rounds are compared.

/**
 * Lets each contender do one round of the same work in turn, beginning with another one each time.
 * @returns the median rate (items a second) by the contender's name.
 */
export async function alternate(contenders, { roundCount, itemCount }) {
  const secondsOf = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < roundCount; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const { name, work } = contenders[(round + turn) % contenders.length];
      const startedMs = performance.now();
      await work(round);
      secondsOf.get(name).push((performance.now() - startedMs) / 1000);
    }
  }
  return new Map(
    [...secondsOf].map(([name, seconds]) => [name, itemCount / quantile(seconds, 0.5)]),
  );
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];
}
