import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { parsers } from './parsers.ts'

test.each(parsers)('$name: of 100,000 hostile inputs none is an accident', (parser) => {
  expect(fuzz(parser, { inputs: 100_000, seed: parser.name })).toBeUndefined()
})
