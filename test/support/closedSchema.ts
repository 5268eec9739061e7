/** A description of answers read to the letter: what it does not name may not be there. */

/** `schema` where every object that names members has no others. One that names none may hold anything. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  const { properties } = inside as { readonly properties?: object }
  const namesMembers = typeof properties === 'object' && Object.keys(properties).length > 0
  return namesMembers && !('additionalProperties' in inside) ? { ...inside, additionalProperties: false } : inside
}
