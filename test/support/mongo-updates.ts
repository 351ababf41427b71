import { evaluate, field } from './mongo-expressions.ts'
import { add, MongoError } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'

/** What an update makes of a document: a pipeline, update operators, or a replacement. */
export function updated(
  document: Document,
  update: Document | Document[],
  { now, inserting }: { now: Date; inserting: boolean },
): Document {
  if (Array.isArray(update)) {
    return update.reduce((current, stage) => runStage(current, stage, now), document)
  }
  if (!Object.keys(update).some((name) => name.startsWith('$'))) {
    return { ...idOf(document), ...update }
  }
  return Object.entries(update).reduce(
    (current, [name, fields]) => runOperator(current, name, fields as Document, inserting),
    document,
  )
}

function runStage(document: Document, stage: Document, now: Date): Document {
  const [name, operand] = Object.entries(stage)[0] ?? ['', undefined]
  const scope = { document, now }
  if (name === '$replaceWith') return evaluate(operand, scope) as Document
  if (name === '$unset') return without(document, [operand].flat() as string[])
  if (name !== '$set' && name !== '$addFields') {
    throw new MongoError(40324, 'Location40324', `The stand-in knows no stage ${name}.`)
  }
  const values = Object.entries(operand as Document).map(
    ([path, part]) => [path, evaluate(part, scope)] as const,
  )
  const removed = values.filter(([, value]) => value === undefined).map(([path]) => path)
  return without({ ...document, ...Object.fromEntries(values) }, removed)
}

function runOperator(
  document: Document,
  name: string,
  fields: Document,
  inserting: boolean,
): Document {
  if (name === '$set') return { ...document, ...fields }
  if (name === '$setOnInsert') return inserting ? { ...document, ...fields } : document
  if (name === '$unset') return without(document, Object.keys(fields))
  if (name !== '$inc') {
    throw new MongoError(9, 'FailedToParse', `The stand-in knows no update operator ${name}.`)
  }
  const sums = Object.entries(fields).map(([path, by]) => [
    path,
    add(field(document, path) ?? 0, by),
  ])
  return { ...document, ...Object.fromEntries(sums) }
}

function without(document: Document, names: readonly string[]): Document {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)))
}

function idOf(document: Document): Document {
  return '_id' in document ? { _id: document['_id'] } : {}
}
