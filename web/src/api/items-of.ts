/** The list in an answer: the answer itself, or its member of that name. */
export function itemsOf<T>(answer: unknown, name: string): readonly T[] {
  if (Array.isArray(answer)) return answer;
  const items = (answer as Readonly<Record<string, unknown>> | null)?.[name];
  return Array.isArray(items) ? items : [];
}
