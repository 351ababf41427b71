import { CatalogueSearch } from './catalogue-search.ts'
import { createCatalogue } from './catalogue.ts'
import type { Catalogue } from './catalogue.ts'
import { Library } from './library.ts'
import type { CompleteTestUser } from '../provider/test-users.ts'

/** What the routes of the test API work on. */
export interface ApiContent {
  /** Where the API is. */
  readonly origin: string
  readonly catalogue: Catalogue
  readonly search: CatalogueSearch
  readonly library: Library
  /** Whose public profiles there are, beside the caller's own and the curators'. */
  readonly users: readonly CompleteTestUser[]
}

/** Makes up the music and the libraries that follow from the seed. */
export function createContent(
  origin: string,
  users: readonly CompleteTestUser[],
  seed: string,
): ApiContent {
  const catalogue = createCatalogue(seed)
  let search: CatalogueSearch | undefined
  return {
    origin,
    catalogue,
    // Its index takes longer to make than the catalogue, and few tests search.
    get search() {
      search ??= new CatalogueSearch(catalogue)
      return search
    },
    library: new Library(catalogue, seed),
    users,
  }
}
